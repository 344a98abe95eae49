/** Where the page's documents come from: a report that lies in the page itself, or the console that served it. */
import type {
  CeremonyDocument,
  CommitteeDocument,
  PlaceDocument,
  ReportDocument,
} from '../lib/cli/console-document.ts';

export function embeddedReport(): ReportDocument | undefined {
  const text = document.getElementById('report')?.textContent;
  return text ? (JSON.parse(text) as ReportDocument) : undefined;
}

const TOKEN = 'coterie-token';

/** Takes the token out of the address bar, so that it is not copied along with an address; it stays with this tab. */
export function takeToken(): string | undefined {
  const given = /^#token=([0-9a-f]{64})$/.exec(location.hash)?.[1];
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, '', '/#/');
  }
  return sessionStorage.getItem(TOKEN) ?? undefined;
}

export class Source {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  place(): Promise<PlaceDocument> {
    return this.#get<PlaceDocument>('/v1/place');
  }

  committee(as: string): Promise<CommitteeDocument> {
    return this.#get<CommitteeDocument>(`/v1/committee?${new URLSearchParams({ as })}`);
  }

  ceremony(as: string, id: string): Promise<CeremonyDocument> {
    return this.#get<CeremonyDocument>(`/v1/ceremony?${new URLSearchParams({ as, id })}`);
  }

  async #get<Body>(path: string): Promise<Body> {
    const response = await fetch(path, { headers: { authorization: `Bearer ${this.#token}` }, cache: 'no-store' });
    const body: unknown = await response.json();
    if (response.ok) return body as Body;
    const said = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : '';
    throw new Error(said || `expected an answer, got status ${response.status}`);
  }
}
