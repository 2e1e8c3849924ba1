/** A unified diff, line by line. */

export function Diff({ text, label }: { text: string; label: string }) {
  return (
    <div className="code plain diff" tabIndex={0} role="region" aria-label={label}>
      {text
        .replace(/\n$/, "")
        .split("\n")
        .map((line, place) => (
          <div key={place} className={kindOf(line)}>
            {line || " "}
          </div>
        ))}
    </div>
  );
}

export function kindOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return "file";
  if (line.startsWith("@@")) return "place";
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "";
}
