#!/bin/sh
exec store-compact
