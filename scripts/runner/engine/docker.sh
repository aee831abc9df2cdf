# Calls the user's Docker for the reader. A wrapper in the run's bin sets:
# $engine: the folder of the run's files   $real: the program   $home: the user's   $label: marks what the run makes
# shellcheck shell=sh disable=SC2154
printf . >> "$engine/calls"
export DOCKER_CONFIG="${engine%/*}/home/.docker"
if [ -z "$DOCKER_HOST" ]; then # where the user's own settings lead
  DOCKER_HOST=$(unset DOCKER_CONFIG; HOME=$home "$real" context inspect --format '{{.Endpoints.docker.Host}}' 2> /dev/null)
  export DOCKER_HOST
fi
group=
case $1 in
  container | image | buildx | network | volume) group=$1 && shift ;;
esac
case $group-$1 in
  -run | -create | container-run | container-create)
    command=$1 && shift
    if [ -n "$GUIDE_BACKGROUND" ]; then set -- --label "guide.background=$GUIDE_BACKGROUND" "$@"; fi
    set -- "$command" --label "$label" "$@"
    ;;
  -build | image-build | buildx-build | network-create | volume-create)
    command=$1 && shift
    set -- "$command" --label "$label" "$@"
    ;;
esac
exec "$real" ${group:+"$group"} "$@"
