// Builds GraphiQL into a folder, each file compressed: `node build.mjs [folder]`. The same sources give the same files.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const folder = process.argv[2] ?? "../gateway/static";
const WEB_FONTS = /@font-face\s*{[^}]*font\/woff[^}]*}/g;

// The system's fonts do, and half of all that the page would load is spared.
const withoutFonts = {
  name: "without-fonts",
  setup: ({ onLoad }) =>
    onLoad({ filter: /graphiql.dist.style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(WEB_FONTS, ""),
      loader: "css",
    })),
};

const { metafile, outputFiles } = await build({
  entryPoints: {
    main: "main.jsx",
    editor: "monaco-editor/esm/vs/editor/editor.worker.js",
    graphql: "monaco-graphql/esm/graphql.worker.js",
    json: "monaco-editor/esm/vs/language/json/json.worker.js",
  },
  bundle: true,
  format: "esm",
  minify: true,
  jsx: "automatic",
  target: "es2022",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "dataurl" },
  plugins: [withoutFonts],
  outdir: "out",
  metafile: true,
  write: false,
  logLevel: "warning",
});

// The licences of all that is in the files want to go with them.
async function licences() {
  const packages = Object.keys(metafile.inputs).map((path) => path.match(/.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const texts = [...new Set(packages.filter(Boolean))].sort().map(async (path) => {
    const { name, version, license } = JSON.parse(await readFile(join(path, "package.json"), "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].map((one) => join(path, one)).find(existsSync);
    return `${name} ${version}: ${license}\n\n${file ? await readFile(file, "utf8") : ""}`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n`);
}

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const save = (name, contents) => writeFile(join(folder, `${name}.gz`), gzipSync(contents, { level: 9 }));
await save("page.html", await readFile("page.html"));
await save("licences.txt", await licences());
for (const { path, contents } of outputFiles) await save(basename(path), contents);
