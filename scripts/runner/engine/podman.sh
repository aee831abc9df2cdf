# Calls Podman for the reader, with the settings of the run. A wrapper in the run's bin sets:
# $engine: their folder   $called: as what   $real: the program   $python, $guide: for the runner's part
# $made: where images of Docker Hub are kept   $names: names of images from earlier chapters
# shellcheck shell=sh disable=SC2154
printf . >> "$engine/calls"
export CONTAINERS_CONF="$engine/containers.conf" CONTAINERS_STORAGE_CONF="$engine/storage.conf"
export CONTAINERS_REGISTRIES_CONF="$engine/registries.conf" REGISTRY_AUTH_FILE="${engine%/*}/home/.config/containers/auth.json"
export TMPDIR="${engine%/*}/tmp"
if [ "$called" = docker ]; then export BUILDAH_FORMAT=docker; fi # keeps what only Docker's format has
case $1 in
  '' | -* | help | version | info | login | logout) exec "$real" "$@" ;;
esac
if [ ! -e "$engine/ready" ]; then
  PYTHONPATH="$guide" "$python" -P -m scripts.runner.engine.prepare "$real" "$engine" "$made" "$names" || exit
fi
group='' quiet=''
case $1 in
  container | image | buildx) group=$1 && shift ;;
esac
case $group-$1 in
  -rmi | image-rm)
    # What earlier chapters have left only loses its names: it is needed to do a later chapter again.
    for word; do
      shift
      id=$("$real" image inspect --format '{{.Id}}' -- "$word" 2> /dev/null) || id=none
      if ! grep -qsF "\"$id\"" "$names"; then
        set -- "$@" "$word" # an option, or an image of this chapter
      elif [ "${id#"$word"}" != "$id" ] || [ "${word#*@}" != "$word" ]; then
        "$real" untag "$id" || exit
      else
        "$real" untag "$id" "$word" || exit
      fi
    done
    case $* in rm | rmi | 'rm -f' | 'rmi -f' | 'rm --force' | 'rmi --force') exit ;; esac # nothing else was asked for
    ;;
esac
case $1 in
  build)
    # Its steps find the package index and the certificates of this machine, and leave nothing of them behind.
    export CONTAINERS_CONF="$engine/build.conf"
    if [ -s "$engine/standing-in" ]; then # what stands in for an image of Docker Hub cannot be pulled
      for argument; do
        shift
        case $argument in --pull | --pull=*) ;; *) set -- "$@" "$argument" ;; esac
      done
    fi
    shift
    set -- build --network host "$@"
    ;;
  run | create)
    command=$1 && shift
    if [ "$called" = docker ]; then set -- --read-only-tmpfs=false "$@"; fi # as in Docker
    if [ -n "$GUIDE_BACKGROUND" ]; then set -- --label "guide.background=$GUIDE_BACKGROUND" "$@"; fi
    set -- "$command" "$@"
    ;;
  pull)
    for name; do :; done
    if grep -qxF -e "$name" "$engine/standing-in"; then exec "$real" image inspect --format '{{.Id}}' "$name"; fi
    ;;
esac
# Without systemd, it says at each container that there are no timers for health checks.
if [ ! -d /run/systemd/system ]; then quiet=--log-level=fatal; fi
exec "$real" ${quiet:+"$quiet"} ${group:+"$group"} "$@"
