# Samba domain controllers: shared by samba, samba22, trust and samba-dc2. Sourced after lib.sh.
# Variables of a controller: DIR (state), DOMAIN, NETBIOS, HOST, IP, ROOT (a chroot, or empty), LEVEL (functional level, or empty) and
# DEPENDANTS (parts that must stop when this domain stops).

# One resolver for the whole lab. It resolves no other names, so no query leaves the machine.
RESOLVER=127.0.0.53
DNS_DIR=$LAB_DIR/dns

dns_up() {
  mkdir -p "$DNS_DIR"
  exec 8>"$DNS_DIR/lock"                   # two controllers may start at the same time
  flock 8
  if ! alive "$DNS_DIR/dnsmasq.pid"; then
    port_free $RESOLVER 53
    echo "nameserver $RESOLVER" >"$DNS_DIR/resolv.conf"
    spawn "$DNS_DIR/dnsmasq.pid" "$DNS_DIR/dnsmasq.log" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= \
      --no-resolv --no-hosts --no-poll --bind-interfaces --listen-address=$RESOLVER --cache-size=0 \
      --server=/ad.test/127.0.0.10 --server=/ad22.test/127.0.0.12 --server=/partner.test/127.0.0.20 \
      --srv-host=_kerberos._udp.mit.test,kdc1.mit.test,10088,0,100 --srv-host=_kerberos._tcp.mit.test,kdc1.mit.test,10088,0,100 \
      --srv-host=_kerberos._udp.mit.test,kdc2.mit.test,10188,10,100 --srv-host=_kerberos._tcp.mit.test,kdc2.mit.test,10188,10,100 \
      --txt-record=_kerberos.mit.test,MIT.TEST --host-record=kdc1.mit.test,127.0.0.1 --host-record=kdc2.mit.test,127.0.0.2 \
      --host-record=web.mit.test,127.0.0.1 --host-record=ldap.mit.test,127.0.0.13 \
      --srv-host=_ldap._tcp.mit.test,ldap.mit.test,10389,0,100 --local=/mit.test/ --local=/test/ 8>&-
    wait_tcp $RESOLVER 53 "$DNS_DIR/dnsmasq.pid" "$DNS_DIR/dnsmasq.log"
  fi
  exec 8>&-
}

# The resolver stops with the last controller.
dns_down() {
  local other
  for other in "$LAB_DIR"/*/samba.pid; do
    if alive "$other"; then return; fi
  done
  stop_pid "$DNS_DIR/dnsmasq.pid"
}

# in_namespace COMMAND... : runs it (in ROOT, if set) in a mount namespace where the lab's resolv.conf, hosts and krb5.conf hide those of
# /etc. /run/samba is private too: libwbclient has /run/samba/winbindd compiled in, and without winbindd every SMB session, and thus
# every trust and join, fails with NT_STATUS_INTERNAL_ERROR.
NAMESPACE='
lab=$1 root=$2 dir=$3 dns=$4; shift 4
if [ -n "$root" ]; then
  mkdir -p "$root$lab"
  mount --bind "$lab" "$root$lab"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  touch "$root/etc/krb5.conf" "$root/etc/resolv.conf" "$root/etc/hosts"
fi
mount --bind "$dns/resolv.conf" "$root/etc/resolv.conf"
mount --bind "$dir/hosts" "$root/etc/hosts"
mount --bind "$dir/krb5.conf" "$root/etc/krb5.conf"
mkdir -p "$root/run/samba"
mount --bind "$dir/runsamba" "$root/run/samba"
if [ -n "$root" ]; then exec chroot "$root" "$@"; else exec "$@"; fi'
in_namespace() { unshare --mount --propagation private bash -euc "$NAMESPACE" _ "$LAB_DIR" "$ROOT" "$DIR" "$DNS_DIR" "$@"; }
samba_tool() { in_namespace samba-tool "$@" -s "$DIR/etc/smb.conf"; }

write_krb5_conf() {
  krb5_libdefaults "${DOMAIN^^}"
  cat <<X
[realms]
 AD.TEST = {
  kdc = 127.0.0.10
  kpasswd_server = 127.0.0.10
 }
 AD22.TEST = {
  kdc = 127.0.0.12
  kpasswd_server = 127.0.0.12
 }
 PARTNER.TEST = {
  kdc = 127.0.0.20
 }
[domain_realm]
 .ad.test = AD.TEST
 ad.test = AD.TEST
 .ad22.test = AD22.TEST
 .partner.test = PARTNER.TEST
X
}

# The configuration for provisioning and joining. They must not read /etc/samba/smb.conf, hence -s everywhere.
write_seed_conf() {
  cat <<X
[global]
 netbios name = $HOST
 realm = ${DOMAIN^^}
 workgroup = $NETBIOS
 server role = active directory domain controller
 interfaces = $IP/8
 bind interfaces only = yes
 private dir = $DIR/private
 lock directory = $DIR/lock
 state directory = $DIR/state
 cache directory = $DIR/cache
 binddns dir = $DIR/bind-dns
 pid directory = $DIR/run
 ncalrpc dir = $DIR/ncalrpc
 ntp signd socket directory = $DIR/ntp
 # The lab's database need not survive a power failure. Provisioning takes a third of the time without sync.
 ldb:nosync = true
X
  if [ -n "$LEVEL" ]; then echo " ad dc functional level = $LEVEL"; fi
}

write_smb_conf() {
  write_seed_conf
  cat <<X
 disable netbios = yes
 smb ports = 445
 server services = s3fs rpc ldap cldap kdc drepl winbindd kcc dns
 dns update command = /bin/true
 # empty, because provisioning copies a forwarder from resolv.conf
 dns forwarder =
 log file = $DIR/log/samba.log
 logging = file
 log level = 1 ${DC_DEBUG:-}
 max log size = 0
 load printers = no
 printing = bsd
 printcap name = /dev/null
 template shell = /bin/false
 ldap server require strong auth = no
 kerberos encryption types = all
[sysvol]
 path = $DIR/state/sysvol
 read only = no
[netlogon]
 path = $DIR/state/sysvol/$DOMAIN/scripts
 read only = no
X
}

dc_prepare() {
  need_tools samba-tool unshare mount dnsmasq
  port_free "$IP" 88
  rm -rf "$DIR"
  mkdir -p "$DIR"/{run,ncalrpc,runsamba/winbindd,ntp,log,kt}
  chmod 755 "$DIR/runsamba/winbindd"       # winbindd requires exactly this mode
  chmod 750 "$DIR/ntp"
  dns_up
  printf '127.0.0.1 localhost\n%s %s.%s %s\n' "$IP" "$HOST" "$DOMAIN" "$HOST" >"$DIR/hosts"
  write_krb5_conf >"$DIR/krb5.conf"
  write_seed_conf >"$DIR/seed.conf"
}

dc_provision() {
  in_namespace samba-tool domain provision -s "$DIR/seed.conf" --realm="${DOMAIN^^}" --domain="$NETBIOS" --adminpass="$PASSWORD" \
    --server-role=dc --dns-backend=SAMBA_INTERNAL --host-name="$HOST" --host-ip="$IP" --targetdir="$DIR" \
    ${LEVEL:+--function-level=$LEVEL} >"$DIR/log/provision.log" 2>&1 || fail "provision: $(tail -n 1 "$DIR/log/provision.log")"
  write_smb_conf >"$DIR/etc/smb.conf"
}

# dc_populate KIND : creates accounts and their keytabs in kt/. Every password is fixed, so each provisioning creates the same keytabs.
dc_populate() {
  cp "$HERE/populate_ad.py" "$DIR/"
  in_namespace /usr/bin/python3 "$DIR/populate_ad.py" "$DIR/etc/smb.conf" "$DOMAIN" "$1" "$DIR/kt" >"$DIR/log/populate.log" 2>&1 ||
    fail "populate_ad.py: $(tail -n 1 "$DIR/log/populate.log")"
}

# dc_populate_directory : adds what the tests of the LDAP client read
dc_populate_directory() {
  local log=$DIR/log/directory.log
  cp "$HERE/populate_directory_ad.py" "$DIR/"
  in_namespace /usr/bin/python3 "$DIR/populate_directory_ad.py" "$DIR/etc/smb.conf" "$DOMAIN" "$HOST" >"$log" 2>&1 ||
    fail "populate_directory_ad.py: $(tail -n 1 "$log")"
  if [ -n "$LEVEL" ]; then managed_accounts >"$log" 2>&1 || fail "service-account: $(tail -n 1 "$log")"; fi
}

# Group managed service accounts, whose password conncomp$ may read. samba-tool creates them disabled, and gmsaoff stays so.
managed_accounts() {
  local name local=(-H "$DIR/private/sam.ldb")
  for name in gmsa gmsaoff; do
    samba_tool service-account create --name=$name --dns-host-name="$name.$DOMAIN" "${local[@]}" &&
      samba_tool service-account group-msa-membership add --name=$name --principal='conncomp$' "${local[@]}" || return
  done
  # Unless an account declares AES, Samba encrypts the tickets to it with RC4.
  dc_attribute 'gmsa$' msDS-SupportedEncryptionTypes "$(printf 24 | base64)" &&
    samba_tool user enable 'gmsa$' "${local[@]}" &&
    samba_tool spn add "HTTP/gmsa.$DOMAIN" 'gmsa$' "${local[@]}" &&
    samba_tool delegation for-any-protocol 'gmsa$' on "${local[@]}" &&
    samba_tool delegation add-service 'gmsa$' "HTTP/web.$DOMAIN" "${local[@]}"
}

# dc_attribute ACCOUNT NAME BASE64 : sets an attribute to bytes, such as clearTextPassword to UTF-16 code units that are no valid text.
dc_attribute() {
  cp "$HERE/set_attribute_ad.py" "$DIR/"
  in_namespace /usr/bin/python3 "$DIR/set_attribute_ad.py" "$DIR/etc/smb.conf" "$@"
}

# dc_users N : adds users u00001 to uN that do not exist yet
dc_users() {
  local have=0 wanted=$1
  [ -f "$DIR/ready" ] || fail "$DOMAIN is not up"
  [ ! -f "$DIR/users" ] || have=$(cat "$DIR/users")
  if [ "$wanted" -gt "$have" ]; then
    cp "$HERE/add_users_ad.py" "$DIR/"
    in_namespace /usr/bin/python3 "$DIR/add_users_ad.py" "$DIR/etc/smb.conf" $((have + 1)) "$wanted" >"$DIR/log/users.log" 2>&1 ||
      fail "add_users_ad.py: $(tail -n 1 "$DIR/log/users.log")"
    echo "$wanted" >"$DIR/users"
  fi
  say "users u00001 to u$(printf %05d "$(cat "$DIR/users")")"
}

dc_start() {
  local port
  spawn "$DIR/samba.pid" "$DIR/log/samba.out" unshare --mount --propagation private \
    bash -euc "$NAMESPACE" _ "$LAB_DIR" "$ROOT" "$DIR" "$DNS_DIR" \
    samba --foreground --no-process-group --model=prefork -s "$DIR/etc/smb.conf"
  for port in 88 389 445; do wait_tcp "$IP" $port "$DIR/samba.pid" "$DIR/log/samba.out"; done
}

dc_is_up() { is_up "$DIR" "$DIR/samba.pid"; }

# dc_up KIND : starts the controller of a separate forest
dc_up() {
  if [ -f "$DIR/ready" ]; then
    dns_up
    if ! dc_is_up; then rm -f "$DIR/samba.pid"; dc_start; fi       # a test may have ended it; the domain remains
    say_already_up "$DIR"
    return
  fi
  dc_down
  if [ -n "$ROOT" ]; then "$HERE/trixie" up; fi
  dc_prepare
  dc_provision
  dc_populate "$1"
  if [ "$1" = ad ]; then dc_populate_directory; fi
  dc_start
  mark_ready "$DIR"
  "$HERE/web" keytabs
  say "up: ${DOMAIN^^} on $IP"
}

dc_down() {
  local other
  for other in ${DEPENDANTS:-}; do "$HERE/$other" down >/dev/null; done
  rm -f "$DIR/ready"
  stop_pid "$DIR/samba.pid"
  dns_down
}

# dc_kdc VERB : faults for tests. It affects the whole controller, since the KDC is one of its processes.
dc_kdc() {
  local pid
  case $1 in
    start) if ! alive "$DIR/samba.pid"; then dc_start; fi;;
    kill) stop_pid "$DIR/samba.pid";;
    restart) dc_kdc kill; dc_kdc start;;
    stop | cont) pid=$(pid_of "$DIR/samba.pid") || fail "samba does not run"; kill "-${1^^}" -- "-$pid";;
    *) usage "kdc stop|cont|kill|start|restart";;
  esac
}

# dc_verbs ARGUMENTS... : the main function of a controller's script, which defines up()
dc_verbs() {
  case ${1:-} in
    up) need_system; one_at_a_time "$SELF"; up;;
    down) need_system; one_at_a_time "$SELF"; dc_down; say "down";;
    status) if dc_is_up; then say_status up; else say_status down; fi;;
    env) echo "export KRB5_CONFIG=$DIR/krb5.conf";;
    kdc) [ $# = 2 ] || usage "kdc stop|cont|kill|start|restart"; need_system; one_at_a_time "$SELF"; dc_kdc "$2";;
    users) [[ ${2:-} =~ ^[0-9]+$ ]] || usage "users N"; need_system; one_at_a_time "$SELF"; dc_users "$2";;
    tool) shift; samba_tool "$@";;
    pdbedit) shift; in_namespace pdbedit -s "$DIR/etc/smb.conf" "$@";;
    attribute) shift; dc_attribute "$@";;
    *) usage "up|down|status|env|users N|kdc stop|cont|kill|start|restart|attribute ACCOUNT NAME BASE64|tool SAMBA-TOOL-ARGUMENTS|pdbedit ARGUMENTS";;
  esac
}
