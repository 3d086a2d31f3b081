#!/bin/sh
# Looks for this machine's Vulkan driver and runs everything: conformance, benchmark, tuning. Needs no network and nothing
# installed but the driver.    ./gpu.sh [--minutes N] [--software]    Results: results/summary.md, results/*.json
set -u
cd "$(dirname "$0")" || exit 1
# The machine's own Vulkan loader comes first; the one in this folder serves where there is none.
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$PWD/vulkan"
export BIPHASE_GPU=system
for argument in "$@"; do
  if [ "$argument" = --software ]; then
    export VK_DRIVER_FILES="$PWD/vulkan/vk_swiftshader_icd.json" VK_ICD_FILENAMES="$PWD/vulkan/vk_swiftshader_icd.json"
    export DAWN_FLAGS=disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension
  fi
done
# Containers often have a driver and no manifest where the loader looks for one.
if [ -z "${VK_DRIVER_FILES:-}" ] && ! ls /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json >/dev/null 2>&1; then
  for manifest in /usr/local/nvidia/share/vulkan/icd.d/*.json /usr/local/share/vulkan/icd.d/*.json; do
    [ -e "$manifest" ] && export VK_DRIVER_FILES="$manifest" VK_ICD_FILENAMES="$manifest"
  done
  if [ -z "${VK_DRIVER_FILES:-}" ]; then
    for library in $(ldconfig -p 2>/dev/null | sed -n 's/.*=> \(.*libGLX_nvidia\.so\.0\)$/\1/p') \
      /usr/local/nvidia/lib64/libGLX_nvidia.so.0; do
      [ -e "$library" ] || continue
      printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}\n' "$library" > vulkan/found_icd.json
      export VK_DRIVER_FILES="$PWD/vulkan/found_icd.json" VK_ICD_FILENAMES="$PWD/vulkan/found_icd.json"
      break
    done
  fi
fi
exec ./node run.mjs "$@"
