#!/usr/bin/env bash
# usage: moved_prefix.sh BUILD_DIR SOURCE_DIR CXX
#
# Installs a build, moves the prefix, and builds and runs the example against it in a folder of its
# own, with nothing in the environment that could lead back to the build.
set -euo pipefail
build=$1 source=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_LIBRARY_PATH CMAKE_PREFIX_PATH

quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

quietly cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/moved"

"$work/moved/bin/vernier" --version
libraries=$(ldd "$work/moved/bin/vernier" "$work"/moved/lib*/libvernier.so)
if grep -e "$build" -e 'not found' <<<"$libraries"; then
  echo "the installed files above lead back to the build, or nowhere"
  exit 1
fi

cp -r "$source/examples/classify" "$work/example"
quietly cmake -S "$work/example" -B "$work/example/build" -G Ninja \
  -DCMAKE_PREFIX_PATH="$work/moved" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release
quietly cmake --build "$work/example/build"

model=$source/models/digits-vit
answer=$("$work/example/build/classify" "$model" "$model/test/3/0359.png")
echo "$answer"
[[ $answer == *": three" ]]
