/** How questions about metadata are asked, told where they are typed. */

export function Grammar() {
  return (
    <details className="grammar">
      <summary aria-label="How to ask about metadata">?</summary>
      <div className="panel">
        <GrammarHelp />
      </div>
    </details>
  );
}

const EXAMPLES: [string, string][] = [
  ["accuracy > 0.9 and split == 'test'", "numbers and texts; both must hold"],
  ["loss < 0.1 or not tuned exists", "either; a key that is not there"],
  ["scores.f1 >= 0.8", "a key within a key"],
  ["`val loss` <= 1", "a key that is no plain word stands in backquotes"],
  ["split in ['test', 'dev']", "one of several"],
  ["trained >= 2026-06-01", "a day or a moment, in UTC"],
  ["note exists", "versions that somebody wrote about"],
];

export function GrammarHelp() {
  return (
    <>
      <h2>Questions about metadata</h2>
      <dl className="facts">
        {EXAMPLES.map(([question, meaning]) => (
          <div key={question} style={{ display: "contents" }}>
            <dt>
              <code>{question}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="soft">
        Operators: <code>== != &lt; &lt;= &gt; &gt;= in exists and or not ( )</code>. A text is never equal to a number.
      </p>
    </>
  );
}
