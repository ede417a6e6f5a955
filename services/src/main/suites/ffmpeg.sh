#!/usr/bin/env bash
# FFmpeg makes pictures and sound, encodes, decodes and filters them with several threads: each frame has the digest that it has on the
# system's malloc.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

prepare() { :; }

# encode NAME SECONDS OPTION...
encode() {
  local name=$1 seconds=$2; shift 2
  if ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=size=640x360:rate=25:duration=$seconds" -f lavfi \
    -i "sine=frequency=440:duration=$seconds" "$@" -threads 4 "$folder/film.mkv" && ffmpeg -nostdin -v error -y -i "$folder/film.mkv" \
    -vf 'scale=480:270,hflip,eq=contrast=1.2' -f framemd5 "$folder/frames"; then
    digest "$name" "$folder/frames"
  else
    echo "$name: failed"
  fi
}

run() {
  local seconds=${quick:+2}
  encode mpeg4 "${seconds:-20}" -c:v mpeg4 -c:a ac3
  encode vp8 "${seconds:-5}" -c:v libvpx -c:a libopus
  encode h264 "${seconds:-20}" -c:v libx264 -c:a aac
  encode ffv1 "${seconds:-20}" -c:v ffv1 -c:a flac
}
$command
