/** HTML of users in a frame that can reach nothing, as high as what it holds says that it is. */

import { useEffect, useRef, useState } from "react";

export const LEAST = 60;
export const MOST = 2400;

/** How often a frame may change its height: one that grows with its own height must come to an end. */
export const OFTEN = 12;

/** The height that a message from a frame asks for, held within bounds; null for any other message. */
export function heightOf(data: unknown): number | null {
  if (typeof data !== "object" || data === null) return null;
  const { lineal, height } = data as { lineal?: unknown; height?: unknown };
  if (lineal !== "height" || typeof height !== "number" || !Number.isFinite(height)) return null;
  return Math.round(Math.min(MOST, Math.max(LEAST, height)));
}

export function Frame({ address, title, size }: { address: string; title: string; size: number }) {
  const frame = useRef<HTMLIFrameElement>(null);
  // Until it tells: few bytes are few lines.
  const [height, setHeight] = useState(size < 1500 ? 170 : size < 2500 ? 360 : 560);
  useEffect(() => {
    let left = OFTEN;
    const hear = (event: MessageEvent) => {
      if (event.source === null || event.source !== frame.current?.contentWindow) return;
      const told = heightOf(event.data);
      if (told === null || left === 0) return;
      left -= 1;
      setHeight(told);
    };
    window.addEventListener("message", hear);
    return () => window.removeEventListener("message", hear);
  }, []);
  // Without allow-same-origin: the frame's scripts have no cookies, no storage and no way to this page. All it can say is a number.
  return (
    <div className="frame" style={{ height }}>
      <iframe ref={frame} className="viz" sandbox="allow-scripts" src={address} title={title} />
    </div>
  );
}
