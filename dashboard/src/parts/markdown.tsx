/** Markdown of users, drawn from its blocks: no HTML of theirs reaches the page. */

import { createElement, useMemo } from "react";
import { type Block, blocksOf, type Span } from "../lib/markdown";

export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return (
    <div className="panel markdown">
      <Blocks blocks={blocks} />
    </div>
  );
}

function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <>
      {blocks.map((block, place) => (
        <One key={place} block={block} />
      ))}
    </>
  );
}

function One({ block }: { block: Block }) {
  if (block.kind === "heading") return createElement(`h${Math.min(6, block.level + 1)}`, null, <Spans spans={block.spans} />);
  if (block.kind === "paragraph")
    return (
      <p>
        <Spans spans={block.spans} />
      </p>
    );
  if (block.kind === "code") return <pre className="code plain">{block.text}</pre>;
  if (block.kind === "rule") return <hr />;
  if (block.kind === "quote")
    return (
      <blockquote>
        <Blocks blocks={block.blocks} />
      </blockquote>
    );
  if (block.kind === "list") {
    const items = block.items.map((item, place) => (
      <li key={place}>
        <Blocks blocks={item} />
      </li>
    ));
    return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
  }
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {block.head.map((cell, place) => (
              <th key={place} scope="col">
                <Spans spans={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, place) => (
                <td key={place}>
                  <Spans spans={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Spans({ spans }: { spans: Span[] }) {
  return (
    <>
      {spans.map((span, place) => {
        if ("text" in span) return span.kind === "code" ? <code key={place}>{span.text}</code> : span.text;
        const inner = <Spans spans={span.spans} />;
        if (span.kind === "link")
          return (
            <a key={place} href={span.href} target="_blank" rel="noopener noreferrer">
              {inner}
            </a>
          );
        return createElement(span.kind, { key: place }, inner);
      })}
    </>
  );
}
