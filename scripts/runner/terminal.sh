# Does one block in a fresh bash that continues where the last one of the same terminal stopped.
# $1: file with the terminal's state (read, then written anew)   $2: the commands
guide_state=$1 guide_commands=$2
guide_given=$(compgen -e)
set --
guide_list() { set +o | grep -vE 'errexit|pipefail'; } # each block sets these two
guide_save() {
  local guide_status=$1 guide_name
  trap - EXIT
  set +eu +o pipefail
  {
    shopt -p
    alias -p
    declare -f
    while read -r guide_name; do
      case $guide_name in
        # bash's own, or given by the runner to each block anew
        BASH*|COPROC|DIRSTACK|EUID|FUNCNAME|GROUPS|LINENO|OPTIND|OPTERR|PIPESTATUS|PPID|RANDOM|SECONDS|SRANDOM) ;;
        EPOCH*|SHELLOPTS|UID|_|COMP_*|HISTCMD|OLDPWD|GUIDE_RUN|GIT_AUTHOR_DATE|GIT_COMMITTER_DATE|guide_*) ;;
        *) declare -p "$guide_name" ;;
      esac
    done < <(compgen -v)
    while read -r guide_name; do # the next block is given it again
      if [ -z "${!guide_name+set}" ]; then printf 'unset -v %s\n' "$guide_name"; fi
    done <<<"$guide_given"
    printf 'cd %q\n' "$PWD"
    if [ -n "$OLDPWD" ]; then printf 'OLDPWD=%q\n' "$OLDPWD"; fi
    printf 'umask %s\n%s\n' "$(umask)" "$guide_options"
  } >"$guide_state.new" 2>/dev/null
  mv "$guide_state.new" "$guide_state"
  exit "$guide_status"
}
shopt -s expand_aliases
if [ -f "$guide_state" ]; then . "$guide_state"; fi
trap 'guide_status=$?; guide_options=$(guide_list); guide_save "$guide_status"' EXIT
set -eo pipefail
eval "$guide_commands"
# Reached when the commands did not exit: also when they set an EXIT trap, for a terminal stays open.
guide_status=$?
guide_options=$(guide_list)
guide_save "$guide_status"
