# Common functions of the lab's scripts: directories, requirements, and how processes are started and ended. Sourced, never run.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SELF=$(basename "$0")
# Must be short: a Unix socket path has at most 108 bytes.
export LAB_DIR=${LAB_DIR:-${TMPDIR:-/tmp}/kcdlab}
# The system's own tools. Only its python3 has the bindings of Debian's packages.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8
unset PYENV_VERSION PYTHONPATH KRB5CCNAME KRB5_CONFIG KRB5_KDC_PROFILE KRB5_KTNAME

PASSWORD='Passw0rd!'        # of every account that has a password
SKIPPED=77                  # exit code for a machine that cannot run the lab (automake's code for a skipped test)

say() { echo "[$SELF] $*"; }
fail() { echo "[$SELF] $*" >&2; exit 1; }

# unsupported : prints one line with the reason why this machine cannot run the lab, or nothing
unsupported() {
  local id
  [ "$(uname -s)" = Linux ] || { echo "the lab needs Debian or Ubuntu"; return; }
  id=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}")
  case " $id " in *" debian "* | *" ubuntu "*) ;; *) echo "the lab needs Debian or Ubuntu"; return;; esac
  [ "$(id -u)" = 0 ] || { echo "the lab needs root (port 88, private mount namespaces)"; return; }
  command -v apt-get >/dev/null || echo "the lab needs apt-get"
}

# need_system : exits with code 77 and the reason if the lab cannot run here
need_system() {
  local why; why=$(unsupported)
  [ -z "$why" ] || { echo "[$SELF] skipped: $why" >&2; exit $SKIPPED; }
  mkdir -p "$LAB_DIR/why"
  # In /tmp another user may have created it first.
  [ -O "$LAB_DIR" ] && [ ! -L "$LAB_DIR" ] || fail "$LAB_DIR belongs to another user: set LAB_DIR to another path"
  chmod 755 "$LAB_DIR"
}

# need_tools TOOL... : fails with the name of a missing tool
need_tools() {
  local t
  for t; do command -v "$t" >/dev/null || fail "$t is not installed: run tests/lab/packages"; done
}

# one_at_a_time NAME : takes the lock of that part until this script ends. A script that the lock's holder calls (a realm stops its
# dependents, a part starts its dependencies) continues without the lock.
one_at_a_time() {
  case " ${LAB_LOCKS:-} " in *" $1 "*) return;; esac
  export LAB_LOCKS="${LAB_LOCKS:-} $1"
  exec 9>"$LAB_DIR/.lock.$1"
  flock -w 300 9 || fail "the lock of $1 was not released within five minutes by another script"
}

# ---- processes: a pid file holds "PID STARTTIME". The start time distinguishes the process from a later one with the same number.

started_at() { # field 22 of /proc/PID/stat; the fields after the command's closing parenthesis start at 3
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- ${stat##*) }
  [ "$1" != Z ] && echo "${20}"
}

# spawn PIDFILE LOG COMMAND... : starts it in the background as the leader of its own session
spawn() {
  local pidfile=$1 log=$2; shift 2
  setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
  echo "$! $(started_at $! || true)" >"$pidfile"
}

# pid_of PIDFILE : prints the number if that process still runs
pid_of() {
  local pid start
  [ -f "$1" ] && read -r pid start <"$1" || return 1
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] && echo "$pid"
}

alive() { pid_of "$1" >/dev/null; }

# stop_pid PIDFILE : ends the process group that spawn started
stop_pid() {
  local pid
  if pid=$(pid_of "$1"); then
    kill -TERM -- "-$pid" 2>/dev/null || true
    kill -CONT -- "-$pid" 2>/dev/null || true          # a frozen process does not handle TERM
    for _ in $(seq 50); do alive "$1" || break; sleep 0.1; done
    if alive "$1"; then kill -KILL -- "-$pid" 2>/dev/null || true; fi
  fi
  rm -f "$1"
}

tcp_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# wait_tcp HOST PORT [PIDFILE LOG] : waits until a server listens there; with a pid file, fails as soon as the process has ended
wait_tcp() {
  for _ in $(seq 600); do
    tcp_open "$1" "$2" && return 0
    if [ $# -gt 2 ] && ! alive "$3"; then fail "no server on $1:$2, the process ended; last line of $4: $(tail -n 1 "$4" 2>/dev/null)"; fi
    sleep 0.1
  done
  fail "no server on $1:$2 after a minute"
}

# port_free HOST PORT : fails if another process listens there
port_free() { ! tcp_open "$1" "$2" || fail "another process listens on $1:$2: stop it (it may belong to another lab)"; }

# ---- state of a part: DIR/ready exists while the part is up and holds a checksum of the scripts that started it

scripts_sum() { find "$HERE" -maxdepth 1 -type f ! -name '*.md' -print0 | sort -z | xargs -0 cat | cksum | cut -d' ' -f1; }

mark_ready() { scripts_sum >"$1/ready"; rm -f "$LAB_DIR/why/$SELF"; }

# is_up DIR PIDFILE... : true if the part is ready and every process runs
is_up() {
  local dir=$1 f; shift
  [ -f "$dir/ready" ] || return 1
  for f; do alive "$f" || return 1; done
}

say_already_up() {
  if [ "$(cat "$1/ready")" = "$(scripts_sum)" ]; then say "already up"
  else say "already up, started by an earlier version of these scripts (to replace it: down, then up)"; fi
}

# say_status up|down : prints "NAME up" or "NAME down REASON"
say_status() {
  local why
  if [ "$1" = up ]; then echo "$SELF up"; return; fi
  why=$(unsupported)
  [ -n "$why" ] || why=$(cat "$LAB_DIR/why/$SELF" 2>/dev/null) || why="not started (tests/lab/all up)"
  echo "$SELF down $why"
}

usage() { echo "usage: $SELF $*" >&2; exit 2; }

# The words before a command that run it in the Debian 13 chroot of the `trixie` script. The mount namespace is private. The lab's state
# has the same path inside and outside.
IN_TRIXIE=(unshare --mount --propagation private bash -euc '
lab=$1 root=$2; shift 2
mkdir -p "$root$lab"
mount --bind "$lab" "$root$lab"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"' _ "$LAB_DIR" "$LAB_DIR/trixie")

# keytab_of PRINCIPAL : HTTP/connector.mit.test -> $KEYTABS/connector.keytab, svc-pw -> $KEYTABS/svc-pw.keytab
keytab_of() { local name=${1#HTTP/}; echo "$KEYTABS/${name%".$DOMAIN"}.keytab"; }

# newest_kvno KEYTAB
newest_kvno() { klist -k "$1" | awk '$1 ~ /^[0-9]+$/ { print $1 }' | sort -nu | tail -n 1; }

# The encryption types in the configuration of every krb5 program of the lab
ENCTYPES="aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192 aes128-cts-hmac-sha256-128 arcfour-hmac"

# krb5_libdefaults REALM : prints a [libdefaults] section without DNS lookups and with forwardable tickets
krb5_libdefaults() {
  cat <<X
[libdefaults]
 default_realm = $1
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 # Without it S4U2Proxy fails with EVIDENCE_TKT_NOT_FORWARDABLE.
 forwardable = true
 # Debian's krb5 1.20.1-2+deb12u4 and later issues no RC4 session key without it.
 allow_rc4 = true
 permitted_enctypes = $ENCTYPES
X
}
