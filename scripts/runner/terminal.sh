# Does one block in a fresh bash that continues where the last one of the same terminal stopped.
# $1: file with the terminal's state (read, then written anew)   $2: the commands
guide_state=$1 guide_commands=$2
set --
guide_save() {
  local status=$? name
  {
    shopt -p
    alias -p
    declare -f
    for name in $(compgen -v); do
      case $name in
        # bash's own, or given by the runner to each block anew
        BASH*|COPROC|DIRSTACK|EUID|FUNCNAME|GROUPS|LINENO|OPTIND|OPTERR|PIPESTATUS|PPID|RANDOM|SECONDS|SRANDOM) ;;
        EPOCH*|SHELLOPTS|UID|_|COMP_*|HISTCMD|GUIDE_RUN|GIT_AUTHOR_DATE|GIT_COMMITTER_DATE|guide_*|name|status) ;;
        *) declare -p "$name" ;;
      esac
    done
    printf 'cd %q\n' "$PWD"
  } >"$guide_state.new" 2>/dev/null
  mv "$guide_state.new" "$guide_state"
  exit "$status"
}
shopt -s expand_aliases
if [ -f "$guide_state" ]; then . "$guide_state"; fi
trap guide_save EXIT
set -eo pipefail
eval "$guide_commands"
