#!/usr/bin/env bash
# Makes the dashboard's JavaScript libraries anew: one minified module each, from exact versions of npm's packages, so
# that a browser asks nobody else for them. Needs npm; nothing else of the project does.
set -euo pipefail
target=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/api/dashboard/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

echo '{"private": true}' >package.json
npm install --silent --no-fund --no-audit --save-exact three@0.187.0 uplot@1.6.32 esbuild@0.25.12
echo "export * from 'three'; export { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';" >three.js
echo "export { default } from 'uplot';" >uplot.js

mkdir -p "$target"
for name in three uplot; do
    npx esbuild "$name.js" --bundle --minify --format=esm --target=es2022 --legal-comments=inline --outfile="$target/$name.js" \
        --log-level=warning
    cp "node_modules/$name/LICENSE" "$target/$name.LICENSE"
done
cp node_modules/uplot/dist/uPlot.min.css "$target/uplot.css"
node -p "['three', 'uplot'].map((name) => name + ' ' + require('./node_modules/' + name + '/package.json').version).join('\n')" \
    >"$target/VERSIONS"
