/** Markdown as blocks and spans, never as HTML: what is not known stays text, so that nothing of it can act in the page. */

export type Span =
  | { kind: "text" | "code"; text: string }
  | { kind: "strong" | "em" | "del"; spans: Span[] }
  | { kind: "link"; href: string; spans: Span[] };

export type Block =
  | { kind: "heading"; level: number; spans: Span[] }
  | { kind: "paragraph"; spans: Span[] }
  | { kind: "code"; text: string }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; ordered: boolean; items: Block[][] }
  | { kind: "table"; head: Span[][]; rows: Span[][][] }
  | { kind: "rule" };

/** How deep quotes and lists may stand in each other; deeper ones are text. */
const DEEPEST = 12;

const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const DASHES = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

export function blocksOf(text: string, depth = 0): Block[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length) blocks.push({ kind: "paragraph", spans: spansOf(paragraph.join("\n")) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line)?.[1];
    const heading = HEADING.exec(line);
    const next = lines[at + 1] ?? "";
    if (fence) {
      flush();
      let end = at + 1;
      while (end < lines.length && !lines[end]?.trimStart().startsWith(fence)) end += 1;
      blocks.push({ kind: "code", text: lines.slice(at + 1, end).join("\n") });
      at = end + 1;
    } else if (!line.trim()) {
      flush();
      at += 1;
    } else if (heading) {
      flush();
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, spans: spansOf(heading[2] ?? "") });
      at += 1;
    } else if (RULE.test(line)) {
      flush();
      blocks.push({ kind: "rule" });
      at += 1;
    } else if (depth < DEEPEST && line.startsWith(">")) {
      flush();
      let end = at;
      while (end < lines.length && lines[end]?.startsWith(">")) end += 1;
      blocks.push({ kind: "quote", blocks: blocksOf(lines.slice(at, end).map((each) => each.replace(/^> ?/, "")).join("\n"), depth + 1) });
      at = end;
    } else if (depth < DEEPEST && ITEM.test(line)) {
      flush();
      at = addList(lines, at, blocks, depth);
    } else if (line.includes("|") && next.includes("-") && DASHES.test(next)) {
      flush();
      let end = at + 2;
      while (end < lines.length && lines[end]?.includes("|")) end += 1;
      const head = cellsOf(line);
      const rows = lines.slice(at + 2, end).map((each) => {
        const cells = cellsOf(each);
        return head.map((_, place) => cells[place] ?? []);
      });
      blocks.push({ kind: "table", head, rows });
      at = end;
    } else {
      paragraph.push(line.trim());
      at += 1;
    }
  }
  flush();
  return blocks;
}

/** Adds the list that begins in a line; gives the line behind it. */
function addList(lines: string[], at: number, blocks: Block[], depth: number): number {
  const ordered = /\d/.test(ITEM.exec(lines[at] ?? "")?.[2] ?? "");
  const items: Block[][] = [];
  while (at < lines.length) {
    const found = ITEM.exec(lines[at] ?? "");
    if (!found || /\d/.test(found[2] ?? "") !== ordered) break;
    const indent = (found[1] ?? "").length + (found[2] ?? "").length + (found[3] ?? "").length;
    const own = [found[4] ?? ""];
    at += 1;
    // What is indented belongs to the item, also behind an empty line; a line that goes on without indent does too.
    while (at < lines.length) {
      const line = lines[at] ?? "";
      if (!line.trim() ? !/^ {2,}\S/.test(lines[at + 1] ?? "") : !/^ {2,}/.test(line) && (ITEM.test(line) || own.at(-1) === "" || HEADING.test(line) || FENCE.test(line))) break;
      own.push(line.slice(Math.min(indent, line.length - line.trimStart().length)));
      at += 1;
    }
    items.push(blocksOf(own.join("\n"), depth + 1));
    while (at < lines.length && !lines[at]?.trim() && ITEM.test(lines[at + 1] ?? "")) at += 1;
  }
  blocks.push({ kind: "list", ordered, items });
  return at;
}

function cellsOf(line: string): Span[][] {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => spansOf(cell.trim()));
}

const SPAN = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*([^*]+(?:\*[^*]+\*[^*]*)*)\*\*|__([^_]+)__|~~([^~]+)~~|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|!?\[([^\]]*)\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|<(https?:\/\/[^>\s]+)>|\\([\\`*_{}[\]()#+.!|~-])/;

export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  for (let rest = text; rest; ) {
    const found = SPAN.exec(rest);
    if (!found) {
      add(spans, rest);
      break;
    }
    add(spans, rest.slice(0, found.index));
    const [whole, , code, strong, strong_, del, em, em_, label, href, bare, escaped] = found;
    if (code !== undefined) spans.push({ kind: "code", text: code.trim() });
    else if (strong ?? strong_) spans.push({ kind: "strong", spans: spansOf(strong ?? strong_ ?? "") });
    else if (del !== undefined) spans.push({ kind: "del", spans: spansOf(del) });
    else if (em ?? em_) spans.push({ kind: "em", spans: spansOf(em ?? em_ ?? "") });
    else if (bare !== undefined) spans.push({ kind: "link", href: bare, spans: [{ kind: "text", text: bare }] });
    else if (href !== undefined && isSafe(href)) spans.push({ kind: "link", href, spans: spansOf(label || href) });
    else if (escaped !== undefined) add(spans, escaped);
    else add(spans, whole);
    rest = rest.slice(found.index + whole.length);
  }
  return spans;
}

/** Only addresses of the web: no script, no data, no page of this server. */
export function isSafe(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href);
}

function add(spans: Span[], text: string): void {
  const last = spans.at(-1);
  if (last?.kind === "text") last.text += text;
  else if (text) spans.push({ kind: "text", text });
}
