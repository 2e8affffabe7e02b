/* SPDX-License-Identifier: ISC */
/* Password hashes as the tools of Debian 12 wrote them; the password is "secret" unless it says
   otherwise. */
#ifndef SP_TESTS_UNIT_USERPASS_SAMPLES_H
#define SP_TESTS_UNIT_USERPASS_SAMPLES_H

/* mkpasswd -m yescrypt; with -R 1; with -R 11 */
#define SAMPLE_YESCRYPT "$y$j9T$FjiwcWhXnvcPGv.urWgXd.$vqv99Y8wlaosopzVVxMxyMx4YrdiZkBUoJrRRn9nSNA"
#define SAMPLE_YESCRYPT_1 \
    "$y$j75$Ziu7PY4LAqp.SMup1NyeL1$YzuC1ooznePyjvjzHFPUtj0zbDmTP3UYaFYzVYfvpo8"
#define SAMPLE_YESCRYPT_11 \
    "$y$jFT$hgwsbW6QcXtZfL6uV1TYn.$fvd4ppY1RxwqNCeM0GmApzLeqmtLB4.aB4kLWedI6Q/"
/* mkpasswd -m gost-yescrypt -R 1 */
#define SAMPLE_GOST "$gy$j75$rH3F13xKp9D68qe/HEjTW0$2fTZU6qcFfSlja2d.464va0q2EO8fYTGKTEnxwjlbS7"
/* htpasswd -nbB; mkpasswd -m bcrypt */
#define SAMPLE_BCRYPT_2Y "$2y$05$3Xi2o/jQyWgcNTQAULkQAOp8C6i9iQSHElmsF1TQZEnEaufM4Qw52"
#define SAMPLE_BCRYPT_2B "$2b$05$/3W.h/PxyLT.p0xCZW4oj.Wz2plQYdmI7QzzcQVFv2JLf5IDqHdJ6"
/* htpasswd -nbB, the password being 72 times x */
#define SAMPLE_BCRYPT_72 "$2y$05$MzfD9HRiKpJHjz5jsGvVMOqPOiCIGOLaLt93enot5Ye3k./AxoD/W"
/* openssl passwd -6; mkpasswd -m sha512crypt -R 1000; openssl passwd -6 of 255 times p */
#define SAMPLE_SHA512 \
    "$6$CdhEpkoGdsZt47HC$64lH5c37NocloOskTVnZK5NU7NPoEkW4d28/oHx9cICJQrMQEFzWQGMnqbSa1y/98KcFkQ6fM0X3kT6xF7VPV."
#define SAMPLE_SHA512_1000 \
    "$6$rounds=1000$dDQV1RSyX92olFNv$7.ThJSw8Z3sQ2EdA7gcIVDKxk.7ZE5CWAF3BfBZS6fcFfDZiMTJdGXQRo8lUlyqzRXyTMJPUgOvmNDbkTN.hH1"
#define SAMPLE_SHA512_255 \
    "$6$rtH24mQ8rQAPyViZ$CDRqFgPLtFDsLFaJ2IctH2MQdGOIy9qiPd0BWz75JSaaVDV0hFnswGR8MyIWYYM/NKZtVaApNeJ5Zl3PY2quj1"
/* openssl passwd -5; mkpasswd -m sha256crypt -R 1000 */
#define SAMPLE_SHA256 "$5$7A8.G47f16nad4C3$cAlSgbhgoGX13SpjNlH2PBKshyJ9o5hCG1Z4d8fcxz6"
#define SAMPLE_SHA256_1000 \
    "$5$rounds=1000$.ReRrMxSwg.08oyo$nG4MCtLNjhuPoiaQG7jWKakF.8Qr2DigtEvHsKM3hS/"

/* What is refused: htpasswd's default, -s and -d; mkpasswd -m md5crypt, bcrypt-a, scrypt. */
#define SAMPLE_APR1 "$apr1$5.ok848S$HSpZ329OM6obwEVPKVZUc0"
#define SAMPLE_SHA1 "{SHA}6dcfXufJLW3J6S/9rRe4vUlBj5g="
#define SAMPLE_DES "H8cL.7lgF5mZs"
#define SAMPLE_MD5 "$1$UJPrO1OU$2ysvPbV2o2V/fILLezIYK/"
#define SAMPLE_BCRYPT_2A "$2a$05$uwLGC.39IQzoKC4hUU.dEOce3.28LWin0ei/mpFRrjdjonaSq.oZG"
#define SAMPLE_SCRYPT "$7$CU..../....2k.tUBhb50l6arrpkwZqL.$ApidZuxzgiFhcufXLqlVZmB/r613ycSNpbm.XWGfC93"

#endif
