/** What must happen sometimes: a simulator in which the rare things never happen proves nothing about them. */

const FAULTS = [
  'duplicates',
  'a crash between commit and send',
  'a race for a nonce lost',
  'a restore, then a redelivery',
  'applied, but an error',
  'no answer, and nothing done',
  'a commit read back after no answer',
  'two versions in one ceremony',
  'a lease expired in mid-run',
  'rows that outlive their TTL',
  'records handled and reported as failed',
  'dead letters that went back',
  'a share held by the halt switch',
  'transaction conflicts',
  'throttled calls',
  'KMS denials',
  'clock jumps',
  'parcels lost',
  'batches on a copy of the tables',
  "a processor's Ceremonies taken back",
  "a processor's Nonces taken back",
  "a processor's Keys taken back",
  "a processor's Directory taken back",
  'a secret of another table left unread',
  'something said before not said otherwise',
  'a further leader',
  'a further session',
  'a leader that was not asked',
  'keygen failed: Timeout',
  'an instruction refused: ConfigurationMismatch',
  'an instruction refused: Repeated',
  'messages from the archive',
  'signatures after the faults',
] as const;

const LIES = [
  'a certificate after a timeout',
  'lies told',
  'equivocation stored',
  'evidence stored',
  'lie: withheld',
  'lie: a second package',
  'lie: confirmed and aborted',
  'lie: framed somebody',
  'lie: strays',
  'keygen failed: InvalidCommitment',
  'keygen failed: InvalidShare',
] as const;

/** Among honest operators once in a thousand runs: the certificate is lost on every way until the ceremony has expired. */
const RARE = ['a certificate after a timeout'] as const;
const RARE_RUNS = 10_000;
/** Where two or more may be silent hardly a signature is late: fewer than once in a thousand runs. */
const WITHOUT_SPARE = ['signing failed: Timeout'] as const;
/** Below so many, chance decides what happens. */
const RUNS = 1_000;

/** @param spare n − t @returns the counters that must not stay at 0 over so many runs */
export function sometimes(byzantine: boolean, runs: number, spare: number): readonly string[] {
  if (runs < RUNS) return [];
  const faults = [...FAULTS, ...(spare < 2 || runs >= RARE_RUNS ? WITHOUT_SPARE : [])];
  if (byzantine) return [...faults, ...LIES];
  return runs < RARE_RUNS ? faults : [...faults, ...RARE];
}
