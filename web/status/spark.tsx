const HEIGHT = 36;
const STEP = 5;

interface SparkProps {
  /** Oldest first; undefined is a gap that is shown as one. */
  values: readonly (number | undefined)[];
  /** How many there are when all places are taken. */
  places: number;
  /** What it shows, in words. */
  label: string;
}

/** Small bars, the newest on the right. */
export function Spark({ values, places, label }: SparkProps) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const empty = places - values.length;
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${places * STEP} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {Array.from({ length: places }, (_, place) => {
        const value = values[place - empty];
        const isGap = place >= empty && value === undefined;
        const height = isGap ? HEIGHT : Math.max(2, ((value ?? 0) / most) * HEIGHT);
        const kind = isGap ? "gap" : place < empty ? "none" : "bar";
        return (
          <rect key={place} className={kind} x={place * STEP} y={HEIGHT - height} width={STEP - 1.5} height={height} />
        );
      })}
    </svg>
  );
}
