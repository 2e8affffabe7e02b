#!/bin/bash
# SPDX-License-Identifier: ISC
# A throwaway Kerberos realm (MIT) below one folder: krb5.conf, kdc.conf, database, stash, log. Nothing
# under /etc or /var is read or written, the KDC listens on loopback alone. Serves ./bootstrap run and
# the system tests; works as root and as an ordinary user. For trying and testing only: its keys are
# worth nothing.
set -euo pipefail
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

usage() {
    cat <<'USAGE'
usage: tests/realm.sh VERB FOLDER [ARGUMENT...]
  create FOLDER [REALM [PORT]]        a new realm (SALLYPORT.TEST, a free port) in FOLDER, which it
                                      makes anew
  serve FOLDER                        becomes the KDC (exec), in the foreground; it is ready when
                                      `ready` succeeds
  ready FOLDER                        status 0 when the KDC that serves FOLDER listens
  principal FOLDER NAME [PASSWORD]    adds NAME, with a random key when there is no PASSWORD; with
                                      PASSWORD "-" it is the first line of standard input
  rekey FOLDER NAME                   a new random key; the old one stays in the database beside it
  keytab FOLDER FILE NAME...          writes FILE (mode 0600) anew with all keys of these, old ones
                                      too, as they are in the database: it changes none
  kinit FOLDER CCACHE NAME [PASSWORD [OPTION...]]
                                      a ticket for NAME in CCACHE; without PASSWORD or with "-" the
                                      password is the first line of standard input; OPTIONs are kinit's
  kadmin FOLDER QUERY...              kadmin.local's answer to each QUERY
  env FOLDER                          lines for `eval`: KRB5_CONFIG, KRB5_KDC_PROFILE
The variable REALM_ENCTYPES gives `create` other encryption types than the four with AES.
USAGE
}

die() { printf 'realm.sh: %s\n' "$*" >&2; exit 1; }

free_port() { # one that is free for UDP and TCP, and none that the kernel gives: it stays so until we serve
    python3 -c 'import random, socket
for _ in range(1000):
    at = "127.0.0.1", random.randrange(10000, 32768)
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind(at)
            udp.bind(at)
        except OSError:
            continue
        print(at[1])
        break'
}

# dns_*, rdns: names stay as they are typed, and no name server is asked. udp_preference_limit: TCP, for
# a KDC that is down is then noticed at once.
write_krb5_conf() {
    cat >krb5.conf <<CONF
[libdefaults]
    default_realm = $realm
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    dns_uri_lookup = false
    rdns = false
    udp_preference_limit = 1
    permitted_enctypes = $enctypes
    ticket_lifetime = 10h
    forwardable = true
    default_ccache_name = FILE:$folder/ccache-%{uid}
    default_keytab_name = FILE:$folder/none.keytab
[realms]
    $realm = {
        kdc = 127.0.0.1:$port
    }
[domain_realm]
    localhost = $realm
[logging]
    kdc = FILE:$folder/kdc.log
    default = FILE:$folder/default.log
CONF
}

write_kdc_conf() {
    local words=() word
    for word in $enctypes; do
        words+=("$word:normal")
    done
    cat >kdc.conf <<CONF
[realms]
    $realm = {
        database_module = files
        key_stash_file = $folder/stash
        master_key_type = aes256-cts-hmac-sha1-96
        supported_enctypes = ${words[*]}
        kdc_listen = 127.0.0.1:$port
        kdc_tcp_listen = 127.0.0.1:$port
        max_life = 24h
        max_renewable_life = 48h
    }
[dbmodules]
    files = {
        db_library = db2
        database_name = $folder/principal
        disable_last_success = true
        disable_lockout = true
    }
CONF
}

kadmin_local() { # QUERY...: kadmin.local reports most failures by words alone
    local query said
    for query; do
        said=$(kadmin.local -r "$realm" -p "test/admin@$realm" -q "$query" 2>&1) || true
        case $said in
            *' while '* | *' does not exist.'*) die "kadmin.local: ${query%% *}: $(grep -v ^Auth <<<"$said")" ;;
        esac
        printf '%s\n' "$said"
    done
}

quoted() { printf '"%s"' "${1//\"/\"\"}"; } # a word of a query

enter() { # the settings of a realm that is there
    cd "$folder" 2>/dev/null || die "$folder: no such folder"
    [ -f realm ] || die "$folder: no realm here; make one with: realm.sh create $folder"
    read -r realm <realm
}

create() { # [REALM [PORT]]
    [ $# -le 2 ] || die 'create takes FOLDER [REALM [PORT]]'
    local port
    realm=${1:-SALLYPORT.TEST}
    enctypes=${REALM_ENCTYPES:-aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96
        aes256-cts-hmac-sha384-192 aes128-cts-hmac-sha256-128}
    enctypes=$(printf '%s ' $enctypes)
    port=${2:-$(free_port)}
    if [ -e "$folder" ] && [ ! -f "$folder/realm" ]; then
        rmdir "$folder" 2>/dev/null || die "$folder: holds something that is no realm"
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    cd "$folder"
    write_krb5_conf
    write_kdc_conf
    kdb5_util create -r "$realm" -s -P throwaway >create.log 2>&1 || die "$(cat create.log)"
    printf '%s\n' "$realm" >realm
}

serve() {
    : >kdc.log
    exec krb5kdc -n -r "$realm"
}

ready() { grep -qs 'commencing operation' kdc.log; }

principal() { # NAME [PASSWORD]
    local how=-randkey password
    if [ $# -gt 1 ]; then
        password=$2
        [ "$password" != - ] || IFS= read -r password || die 'no password on standard input'
        how="-pw $(quoted "$password")"
    fi
    kadmin_local "addprinc $how $(quoted "$1")" >/dev/null
}

rekey() { kadmin_local "cpw -randkey -keepold $(quoted "$1")" >/dev/null; }

keytab() { # FILE NAME...
    local file=$1 name queries=()
    shift
    rm -f "$file.new"
    for name; do
        queries+=("ktadd -norandkey -k $(quoted "$file.new") $(quoted "$name")")
    done
    (umask 077 && kadmin_local "${queries[@]}" >/dev/null)
    chmod 600 "$file.new"
    mv "$file.new" "$file"
}

ticket() { # CCACHE NAME [PASSWORD [OPTION...]]
    local ccache=$1 name=$2 password=${3:--}
    shift $(($# < 3 ? $# : 3))
    [ "$password" != - ] || IFS= read -r password || die 'no password on standard input'
    case $ccache in *:*) ;; *) ccache=FILE:$ccache ;; esac
    printf '%s\n' "$password" | kinit -c "$ccache" "$@" "$name" >/dev/null
}

main() {
    local verb=${1:-} given=${2:-} least=2
    case $verb in
        '' | -h | --help | help) usage; exit 0 ;;
        create | serve | ready | env) ;;
        principal | rekey | kadmin) least=3 ;;
        keytab | kinit) least=4 ;;
        *) usage >&2; exit 2 ;;
    esac
    [ $# -ge $least ] || { usage >&2; exit 2; }
    shift 2
    here=$PWD
    folder=$(realpath -m -- "$given")
    export KRB5_CONFIG=$folder/krb5.conf KRB5_KDC_PROFILE=$folder/kdc.conf
    unset KRB5CCNAME KRB5_KTNAME KRB5RCACHENAME
    [ "$verb" = create ] || enter
    case $verb in # files named by the caller are seen from where it stands
        keytab | kinit) set -- "$(absolute "$1")" "${@:2}" ;;
    esac
    case $verb in
        kinit) ticket "$@" ;;
        kadmin) kadmin_local "$@" ;;
        env) printf 'export KRB5_CONFIG=%q KRB5_KDC_PROFILE=%q\n' "$KRB5_CONFIG" "$KRB5_KDC_PROFILE" ;;
        *) "$verb" "$@" ;;
    esac
}

absolute() { # FILE or TYPE:NAME
    case $1 in
        /* | *:*) printf '%s' "$1" ;;
        *) printf '%s' "$here/$1" ;;
    esac
}

main "$@"
