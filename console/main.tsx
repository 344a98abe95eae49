/** The page: a report that lies in it, or a committee that is asked again and again. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type {
  CeremonyDocument,
  CommitteeDocument,
  PlaceDocument,
  ReportDocument,
} from '../lib/cli/console-document.ts';
import { Ceremony } from './ceremony.tsx';
import { Committee } from './committee.tsx';
import { Time } from './parts.tsx';
import { embeddedReport, Source, takeToken } from './source.ts';

function Report({ report: { ceremony, committee, place } }: { readonly report: ReportDocument }) {
  return (
    <>
      <header class="top">
        <h1>Report of a ceremony</h1>
        <p class="muted">
          From {place}, read <Time at={ceremony.view.readAt * 1_000} />. Saved: nothing here changes any more.
        </p>
      </header>
      <main>
        <Ceremony document={ceremony} />
        <Committee document={committee} linked={false} />
      </main>
    </>
  );
}

type Shown =
  | { readonly kind: 'committee'; readonly document: CommitteeDocument }
  | { readonly kind: 'ceremony'; readonly id: string; readonly document: CeremonyDocument };

function chosenCeremony(): string | undefined {
  return /^#\/ceremony\/(0x[0-9a-f]{64})$/.exec(location.hash)?.[1];
}

function Live({ source, place }: { readonly source: Source; readonly place: PlaceDocument }) {
  const [as, setAs] = useState(place.operators[0] ?? '');
  const [id, setId] = useState(chosenCeremony());
  const [shown, setShown] = useState<Shown>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    const turn = () => {
      setId(chosenCeremony());
      scrollTo(0, 0);
    };
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let looking = false;
    const look = async () => {
      // A second one would go on beside the first for ever.
      if (looking) return;
      looking = true;
      try {
        const next: Shown =
          id === undefined
            ? { kind: 'committee', document: await source.committee(as) }
            : { kind: 'ceremony', id, document: await source.ceremony(as, id) };
        if (over) return;
        setShown(next);
        setTrouble(undefined);
      } catch (error) {
        if (over) return;
        setTrouble(error instanceof Error ? error.message : 'no answer');
      } finally {
        looking = false;
      }
      // A page that nobody looks at asks for nothing.
      if (!over && !document.hidden) timer = setTimeout(() => void look(), place.lookMilliseconds);
    };
    const seen = () => {
      if (document.hidden) return;
      clearTimeout(timer);
      void look();
    };
    setShown(undefined);
    void look();
    document.addEventListener('visibilitychange', seen);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [source, place, as, id]);
  return (
    <>
      <header class="top">
        <div class="row">
          <h1>{id === undefined ? 'Committee' : 'Ceremony'}</h1>
          <label class="as">
            as seen by{' '}
            <select value={as} onChange={({ currentTarget }) => setAs(currentTarget.value)}>
              {place.operators.map((identity) => (
                <option key={identity}>{identity}</option>
              ))}
            </select>
          </label>
        </div>
        <p class="muted">
          {place.place}, read only
          {shown && (
            <>
              , read <Time at={shown.document.view.readAt * 1_000} />
            </>
          )}
        </p>
        {id !== undefined && (
          <nav aria-label="Back">
            <a href="#/">← The committee</a>
          </nav>
        )}
      </header>
      <main>
        {trouble !== undefined && (
          <p class="card trouble" role="alert">
            ✕ {trouble}. {shown ? 'What is shown is old.' : ''} Looking again.
          </p>
        )}
        {!shown && trouble === undefined && (
          <p class="empty" role="status">
            Looking…
          </p>
        )}
        {shown?.kind === 'committee' && <Committee document={shown.document} linked={true} />}
        {shown?.kind === 'ceremony' && <Ceremony document={shown.document} />}
      </main>
    </>
  );
}

function Refused({ why }: { readonly why: string }) {
  return (
    <main>
      <h1>Coterie</h1>
      <p class="card trouble" role="alert">
        ✕ {why}. Open the whole address that coterie console printed.
      </p>
    </main>
  );
}

async function start(): Promise<void> {
  const root = document.getElementById('page');
  if (!root) return;
  const report = embeddedReport();
  if (report) {
    document.title = `Ceremony ${report.ceremony.view.ceremony.slice(2, 10)} · Coterie`;
    render(<Report report={report} />, root);
    return;
  }
  const token = takeToken();
  if (token === undefined) {
    render(<Refused why="This address has no token" />, root);
    return;
  }
  const source = new Source(token);
  try {
    render(<Live source={source} place={await source.place()} />, root);
  } catch (error) {
    render(<Refused why={error instanceof Error ? error.message : 'no answer'} />, root);
  }
}

void start();
