dnl SPDX-License-Identifier: ISC
dnl SP_CHECK_CFLAGS(VARIABLE, FLAGS), SP_CHECK_LDFLAGS(VARIABLE, FLAGS): append those of FLAGS which
dnl the compiler (the linker) takes without a warning to VARIABLE.
AC_DEFUN([SP_CHECK_CFLAGS], [
AC_REQUIRE([AC_PROG_CC])
m4_map_args_w([$2], [_SP_CHECK([compiler], [CFLAGS], [$1], [AC_COMPILE_IFELSE], ], [)])
])

AC_DEFUN([SP_CHECK_LDFLAGS], [
AC_REQUIRE([AC_PROG_CC])
m4_map_args_w([$2], [_SP_CHECK([linker], [LDFLAGS], [$1], [AC_LINK_IFELSE], ], [)])
])

dnl _SP_CHECK(WHO, FLAGS-VARIABLE, RESULT, HOW, FLAG). -fPIE is there because -pie needs it.
AC_DEFUN([_SP_CHECK], [
AC_MSG_CHECKING([whether the $1 takes $5])
sp_save_CFLAGS=$CFLAGS
sp_save_LDFLAGS=$LDFLAGS
CFLAGS="$CFLAGS -fPIE -Werror"
$2="$$2 $5"
$4([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $3="$$3 $5"],
    [AC_MSG_RESULT([no])])
CFLAGS=$sp_save_CFLAGS
LDFLAGS=$sp_save_LDFLAGS
])

dnl SP_CHECK_FORTIFY(VARIABLE): the highest _FORTIFY_SOURCE that works, and only where the compiler
dnl optimises and nobody has set it already.
AC_DEFUN([SP_CHECK_FORTIFY], [
AC_REQUIRE([AC_PROG_CC])
sp_save_CFLAGS=$CFLAGS
sp_fortify=no
for sp_level in 3 2; do
    AS_IF([test "$sp_fortify" = no], [
        AC_MSG_CHECKING([for _FORTIFY_SOURCE=$sp_level])
        CFLAGS="$sp_save_CFLAGS -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$sp_level"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#ifndef __OPTIMIZE__
#error no optimisation
#endif
#include <string.h>
]], [])],
            [sp_fortify="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$sp_level"; AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])])])
done
CFLAGS=$sp_save_CFLAGS
AS_CASE(["$CPPFLAGS $CFLAGS"], [*_FORTIFY_SOURCE*], [],
    [AS_IF([test "$sp_fortify" != no], [$1="$$1 $sp_fortify"])])
])

dnl SP_LIBRARY(PREFIX, PKG-CONFIG-NAME, LIBRARY, FUNCTION, HEADER): PREFIX_CFLAGS and PREFIX_LIBS, from
dnl pkg-config or, where the library has no .pc file, by linking. A missing library is an error.
AC_DEFUN([SP_LIBRARY], [
PKG_CHECK_MODULES([$1], [$2], [], [
    sp_save_LIBS=$LIBS
    AC_CHECK_HEADER([$5], [], [AC_MSG_ERROR([$5 of $2 is missing])])
    AC_CHECK_LIB([$3], [$4], [$1_LIBS=-l$3], [AC_MSG_ERROR([the library $2 is missing])])
    LIBS=$sp_save_LIBS])
])
