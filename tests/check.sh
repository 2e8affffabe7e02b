# SPDX-License-Identifier: ISC
# The verb check of ./bootstrap, which reads this file: every test and every build variant. A stage
# that fails is counted and the next one runs. Logs are in build/check/, one per stage.

passed=0
failed=0
skipped=0

record() { # STAGE PASSED FAILED SKIPPED SECONDS
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    printf '%-20s %5d passed, %d failed, %d skipped  (%d s)\n' "$@" >>build/check/summary
}

# Runs a command into the stage's log and sets status. Not in a condition: there bash would go on
# after a command that failed inside a function.
logged() { # NAME COMMAND...
    local log=build/check/$1.log
    shift
    set +e
    (set -e; "$@") >"$log" 2>&1 </dev/null
    status=$?
    set -e
}

# A stage that passes or fails as a whole.
stage() { # NAME COMMAND...
    local name=$1 from=$SECONDS status
    shift
    say "check: $name"
    logged "$name" "$@"
    if [ $status -eq 0 ]; then
        record "$name" 1 0 0 $((SECONDS - from))
    else
        tail -n 40 "build/check/$name.log"
        say "FAILED: $name, see build/check/$name.log"
        record "$name" 0 1 0 $((SECONDS - from))
    fi
}

# A stage that runs tests and counts them: its command, then COUNTER prints PASSED
# FAILED SKIPPED, and on standard error why something was skipped.
counted() { # NAME LEAST-COUNT COUNTER COMMAND...
    local name=$1 least=$2 counter=$3 from=$SECONDS status p f s
    shift 3
    say "check: $name"
    logged "$name" "$@"
    read -r p f s < <($counter) || { p=0 f=0 s=0; }
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1 # it failed outside its tests
    fi
    if [ $((p + f + s)) -lt "$least" ]; then
        say "$name: only $((p + f + s)) tests ran; tests/expected wants at least $least"
        f=$((f + 1))
    fi
    if [ "$f" -ne 0 ]; then
        tail -n 60 "build/check/$name.log"
        say "FAILED: $name, see build/check/$name.log"
    fi
    record "$name" "$p" "$f" "$s" $((SECONDS - from))
}

expected() { sed -n "s/^$1=//p" tests/expected; }

# --- the stages --------------------------------------------------------------------------------

make_check() { # FOLDER [TESTS=...]: old results away first, so that only this run is counted
    find "$1/tests" -name '*.trs' -delete 2>/dev/null || true
    compile_in "$1" -k check VERBOSE=1 "${@:2}"
}

variant() { # FOLDER OPTION...: configure and compile the programs and their tests
    configure_in "$@"
    compile_in "$1" all
    compile_in "$1" check TESTS=
}

# The second compiler, and with it the methods as modules of their own.
second_compiler() {
    export CC=$1
    variant "build/$1" --enable-werror --with-auth-none=shared --with-auth-userpass=shared \
        --with-auth-gssapi=shared
    compile_in "build/$1" check TESTS=tests/lint/links.sh VERBOSE=1
}

sanitized_units() {
    variant build/sanitize --enable-sanitizers --enable-werror
    make_check build/sanitize 'TESTS=$(check_PROGRAMS)'
}

# Debian's python3 has Debian's pytest; another one in PATH may have neither. Files of tests run side by
# side: most of their time they wait.
pytest_in() { # BUILD-FOLDER RESULT ARGUMENT...
    local build=$1 result=$2
    shift 2
    compile_in "$build" all
    compile_in "$build" test-modules # beside the other goal it would build some files twice at once
    export SALLYPORT_BUILD=$top/$build PYTHONDONTWRITEBYTECODE=1 UBSAN_OPTIONS=print_stacktrace=1
    /usr/bin/python3 -m pytest -p no:cacheprovider -q -rs -n "$jobs" --dist loadfile \
        --junitxml="build/check/$result.xml" "$@" tests/system
}

install_npm_client() {
    command -v npm >/dev/null || return 0
    [ -d build/npm/node_modules/socks ] && return 0
    say 'npm package socks, a client of the system tests'
    npm install --prefix build/npm --no-audit --no-fund --loglevel=error socks@2 \
        >build/check/npm.log 2>&1 </dev/null || say 'npm could not get it, see build/check/npm.log'
}

# A browser without its windows. Ubuntu has no such package; the tests that want it say so.
install_browser() {
    case $(apt-cache policy chromium-headless-shell 2>/dev/null) in
    *'Candidate: (none)'* | '') ;;
    *) install_packages chromium-headless-shell:chromium-headless-shell ;;
    esac
}

# Dante's client library with GSS-API: Debian has its source and builds it without. From the mirror that
# would give the package, with an apt of its own beside the system's, in build/dante.
get_dante_client() {
    local mirror apt
    cd build/dante
    mkdir -p lists/partial cache/archives/partial source
    mirror=$(apt-get download --print-uris dante-client | sed "s|^'\\(.*/\\)pool/.*|\\1|")
    apt-get indextargets 'Created-By: Packages' \
        --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' |
        grep -F "deb-src $mirror " | sort -u >deb-src.list
    apt="apt-get -q -o Dir::Etc::SourceParts=/nonexistent -o Dir::Etc::SourceList=$PWD/deb-src.list
        -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache"
    $apt update
    $apt source --download-only dante
    tar -C source --strip-components 1 -xf dante_*.orig.tar.*
    cd source
    export PATH=$PATH:/usr/sbin:/sbin # ldconfig
    env -u CC -u CFLAGS ./configure -q --disable-server --without-pam --without-ldap --without-sasl \
        --without-krb5 --without-bsdauth --without-upnp --disable-static
    make -s -j2
    cp dlib/.libs/libdsocks.so ..
    cd ..
    rm -rf lists cache source
}

install_dante_client() {
    [ ! -f build/dante/libdsocks.so ] || return 0
    rm -rf build/dante
    mkdir -p build/dante
    say "Dante's client with GSS-API, a client of the system tests, meanwhile"
    logged dante get_dante_client
    [ $status -eq 0 ] || say "Dante's client could not be had, see build/check/dante.log"
}

check() {
    install_packages $build_packages $check_packages
    install_browser
    mkdir -p build/check
    rm -f build/check/*.xml build/check/*.log build/check/summary
    install_npm_client
    install_dante_client &
    local dante=$!
    generate
    stage build variant build --enable-werror
    counted unit "$(expected unit)" 'python3 -B tests/count.py trs build' make_check build
    wait $dante
    counted system "$(expected system)" 'python3 -B tests/count.py xml build/check/system.xml' \
        pytest_in build system
    counted sanitize-unit "$(expected sanitize-unit)" \
        'python3 -B tests/count.py trs build/sanitize' sanitized_units
    counted sanitize-system "$(expected sanitize-system)" \
        'python3 -B tests/count.py xml build/check/sanitize-system.xml' \
        pytest_in build/sanitize sanitize-system -m sanitizers
    stage clang second_compiler clang
    stage distcheck compile_in build distcheck VERBOSE=1

    say 'summary'
    cat build/check/summary
    printf '%d passed, %d failed, %d skipped\n' $passed $failed $skipped
    [ $failed -eq 0 ]
}
