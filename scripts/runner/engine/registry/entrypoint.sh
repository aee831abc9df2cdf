#!/bin/sh
# As that of registry:2: a configuration starts the server, anything else is a command.
set -e
case "$1" in
  *.yaml | *.yml) set -- registry serve "$@" ;;
  serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
