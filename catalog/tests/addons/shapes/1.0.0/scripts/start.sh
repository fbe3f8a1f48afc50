#!/bin/sh
exec store "$@"
