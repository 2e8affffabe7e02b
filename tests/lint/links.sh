#!/bin/sh
# SPDX-License-Identifier: ISC
# What each built program links. A program maps only the libraries of its duty: sallyportd no OpenSSL,
# Kerberos or c-ares, a worker no libconfuse, Kerberos or crypt, the authentication process no c-ares
# or libconfuse, the logger none of them; a module of a method nothing but libc and what it is for.
# PROGRAMS and MODULES come from the Makefile.
set -u
cd "${top_builddir:?}" || exit 1

sanitizers='libasan libubsan libm libgcc_s libpthread libdl librt libresolv'
allowed_of() {
    case $1 in
        sallyportd) echo libc libconfuse libcap-ng libbsd ;;
        sallyportctl) echo libc libconfuse libncursesw libtinfo libcap-ng libbsd ;;
        sallyport-worker) echo libc libcares libseccomp libcap-ng libbsd libcrypto libssl ;;
        sallyport-auth) echo libc libcrypt libsodium libgssapi_krb5 libkrb5 libseccomp libcap-ng libbsd ;;
        sallyport) echo libc libgssapi_krb5 libkrb5 libcrypto libbsd ;;
        # libmicrohttpd of Debian itself needs GnuTLS (its TLS stays unused here): it is mapped all the
        # same, with what it needs, and therefore in a process that holds nothing worth stealing.
        sallyport-metrics) echo libc libmicrohttpd libseccomp libcap-ng libbsd ;;
        sallyport-logger) echo libc libseccomp libcap-ng libbsd ;;
        *-wire.so) echo libc ;;
        *-protect.so) echo libc libcrypto ;;
        gssapi-secret.so) echo libc libgssapi_krb5 libkrb5 ;;
        *-secret.so) echo libc libcrypt libsodium ;;
        *) echo ;;
    esac
}

checked=0
wrong=0
for file in ${PROGRAMS:-} ${MODULES:-}; do
    allowed=$(allowed_of "$(basename "$file")")
    [ -n "$allowed" ] || { echo "$file:0: links.sh knows no such program"; wrong=1; continue; }
    needed=$("${READELF:-readelf}" -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*\]/\1/p')
    [ -n "$needed" ] || { echo "$file:0: readelf tells no libraries"; wrong=1; continue; }
    case " $(echo $needed) " in *" libasan "*) allowed="$allowed $sanitizers" ;; esac
    for library in $needed; do
        case " $allowed ld-linux-x86-64 ld-linux-aarch64 " in
            *" $library "*) ;;
            *) echo "$file:0: links $library; allowed: $allowed"; wrong=1 ;;
        esac
    done
    checked=$((checked + 1))
done
echo "links: $checked programs and modules checked"
[ "$checked" -gt 0 ] || { echo 'links: nothing was checked: the Makefile names no program'; exit 1; }
exit $wrong
