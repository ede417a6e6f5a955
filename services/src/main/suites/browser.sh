#!/usr/bin/env bash
# A browser's engine, Qt's WebKit, renders pages: each picture is what it is on the system's malloc.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

prepare() { :; }

# Letters, plugins and the rest come from the packages, as what the system has could differ or be missing. WebKit has an allocator of its
# own, which Malloc=1 has pass on to malloc.
run() {
  local ours=$root/services/src/main/suites papers=$tree/usr/share/doc page name
  local pages=("$ours"/browser/*.html)
  local python=("$papers"/python3.*/html) sql=("$papers"/postgresql-doc-*/html)
  pages+=("${sql[0]}"/storage-page-layout.html "${python[0]}"/tutorial/c*.html)
  [ -n "$quick" ] || pages+=("${python[0]}"/{tutorial/[!c],howto/,reference/,library/[ab]}*.html
    "${sql[0]}"/{geqo,gin,functions-,datatype}*.html)
  mkdir -m 700 "$folder/run"
  cat >"$folder/fonts.conf" <<CONF
<fontconfig>
  <dir>$tree/usr/share/fonts</dir>
  <cachedir>$folder/fonts</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
CONF
  export QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR="$folder/run" FONTCONFIG_FILE="$folder/fonts.conf" Malloc=1
  for page in "$tree"/usr/lib/*/qt5/plugins; do export QT_PLUGIN_PATH=$page; done
  for page in "${pages[@]}"; do
    name=${page#"$ours/"} name=${name#"$papers/"}
    if timeout 300 wkhtmltoimage -q --enable-local-file-access -f bmp "$page" "$folder/picture.bmp" >>"$folder/said" 2>&1; then
      digest "$name" "$folder/picture.bmp"
    else
      echo "$name: failed"
    fi
    rm -f "$folder/picture.bmp"
  done
}
$command
