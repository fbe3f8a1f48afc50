#!/bin/sh
# memcached has no configuration file: its options are one a line, without blanks.
exec memcached $(cat /middleware/config/options)
