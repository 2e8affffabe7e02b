dnl SPDX-License-Identifier: ISC
dnl SP_AUTH_MODULE(NAME, DEFAULT, [FACES]) gives ./configure --with-auth-NAME=yes|shared|no, the
dnl automake conditionals AUTH_NAME_BUILTIN and AUTH_NAME_SHARED, and, when built in, the rows
dnl AUTH_BUILTIN_WIRE(NAME), AUTH_BUILTIN_PROTECT(NAME) and AUTH_BUILTIN_SECRET(NAME) in the generated
dnl auth/builtin.def. FACES is "wire secret" unless given; a method without a pool has "wire" only, one
dnl that protects messages "wire protect secret". auth/local.mk does the rest.
AC_DEFUN([SP_AUTH_MODULE], [
m4_pushdef([sp_upper], m4_translit([$1], [a-z-], [A-Z_]))
AC_ARG_WITH([auth-$1],
    [AS_HELP_STRING([--with-auth-$1=yes|shared|no],
        [method $1: built in, a module of its own, or left out (default: $2)])],
    [], [with_auth_$1=$2])
AS_CASE([$with_auth_$1],
    [yes], [sp_auth_builtin="$sp_auth_builtin $1"
            for sp_face in m4_default([$3], [wire secret]); do
                AS_CASE([$sp_face],
                    [wire], [sp_auth_rows="$sp_auth_rows AUTH_BUILTIN_WIRE($1)"],
                    [protect], [sp_auth_rows="$sp_auth_rows AUTH_BUILTIN_PROTECT($1)"],
                    [sp_auth_rows="$sp_auth_rows AUTH_BUILTIN_SECRET($1)"])
            done],
    [shared], [sp_auth_shared="$sp_auth_shared $1"],
    [no], [],
    [AC_MSG_ERROR([--with-auth-$1 takes yes, shared or no])])
AM_CONDITIONAL([AUTH_]sp_upper[_BUILTIN], [test "$with_auth_$1" = yes])
AM_CONDITIONAL([AUTH_]sp_upper[_SHARED], [test "$with_auth_$1" = shared])
m4_popdef([sp_upper])
])

AC_DEFUN([SP_AUTH_MODULES_DONE], [
AS_IF([test -z "$sp_auth_builtin$sp_auth_shared"],
    [AC_MSG_ERROR([every authentication method is left out])])
AUTH_BUILTIN_ROWS=$sp_auth_rows
AC_SUBST([AUTH_BUILTIN_ROWS])
])
