#!/usr/bin/env bash
# What has to be seen on a machine with a GPU, in about six minutes: how fast it is, the tests that need it, the verdicts
# of all claims, and that the same run twice gives the same numbers.
#
#     tests/on_gpu.sh [FOLDER] [DEVICE]       the logs and reports go to FOLDER; DEVICE=cpu tries the script without a GPU
#
# PYTHON names the interpreter, WORKERS how many claims each of the two passes computes at a time, CLAIMS the claims
# (default: all), PROFILE
# an option such as --quick, PARTS which parts are done; `again` is a second pass beside that of `verdicts`.
set -u
folder=${1:-outputs/gpu} device=${2:-cuda} python=${PYTHON:-python3} workers=${WORKERS:-$(( ($(nproc) + 1) / 2 ))} profile=${PROFILE:-}
parts=" ${PARTS:-rates diagram verdicts again tests} "
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
mkdir -p "$folder"
part() { # NAME: whether it is asked for
  [[ $parts == *" $1 "* ]] && echo && echo "== $1 ($SECONDS s)"
}

run_claims() { # DEVICE NAME: the claims that take longest begin first, and each has a process of its own
  mkdir -p "$folder/$2"
  printf '%s\n' $claims | xargs -P "$workers" -I{} timeout "${SECONDS_PER_CLAIM:-200}" "$python" -m dlnrepro run {} $profile \
    --device "$1" -j 1 --no-cache -q --outputs "$folder/work/$2-{}" -o "$folder/$2/{}.json" >"$folder/$2.log" 2>&1
}
long="wide-layers-align max-margin-direction rank-one-alignment six-layers-align symmetry-restoration"
long="$long symmetry-restoration-matrices trained-pathway-sharpness flattest-minima winner-takes-all-matrices"
claims=${CLAIMS:-"$long $(ls claims/*.yaml | xargs -n1 basename -s .yaml | grep -vxF "$(printf '%s\n' $long)")"}

"$python" -c 'import torch, numpy, scipy, sys
print(sys.version.split()[0], "torch", torch.__version__, "numpy", numpy.__version__, "scipy", scipy.__version__)
print(torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU")'
part rates && timeout 90 "$python" -m tests.benchmarks.on_a_gpu rates "$device"
if part diagram; then
  timeout 60 "$python" -m tests.benchmarks.on_a_gpu diagram "$device" "$(nproc)"
  [ "$device" = cuda ] && timeout 120 "$python" -m tests.benchmarks.on_a_gpu diagram cpu "$(nproc)"
fi
if part verdicts; then
  run_claims "$device" first &
  part again && run_claims "$device" second
  wait
  "$python" -m tests.benchmarks.on_a_gpu compare outputs/reference "$folder/first"
  part again && "$python" -m tests.benchmarks.on_a_gpu compare "$folder/first" "$folder/second" | grep -v ": 0 of"
fi
part tests && timeout "${SECONDS_FOR_TESTS:-240}" "$python" -m pytest tests -q -k "cuda or gpu_gives" -p no:cacheprovider
echo "== end ($SECONDS s)"
