/** What the page shows: the same views that the commands print, and what goes with them. Public facts only. */
import type { Evidence } from '../messages/evidence.ts';
import type { CeremonyView } from '../view/ceremony-view.ts';
import type { CommitteeView } from '../view/committee-view.ts';

/** List prices in US dollars, for all operators of a coin together. */
export interface CoinCost {
  readonly coin: string;
  readonly operators: number;
  readonly threshold: number;
  readonly oneSignature: number;
  readonly oneKey: number;
  /** A month in which nothing is signed. */
  readonly quietMonth: number;
  readonly notes: readonly string[];
}

export interface CommitteeDocument {
  readonly view: CommitteeView;
  readonly costs: readonly CoinCost[];
}

export interface CeremonyDocument {
  readonly view: CeremonyView;
  /** Stored proofs, as `coterie verify evidence` takes them. */
  readonly proofs: readonly { readonly index: number; readonly evidence: Evidence }[];
}

/** The page asks for this first. */
export interface PlaceDocument {
  readonly v: 1;
  readonly place: string;
  readonly lookMilliseconds: number;
  readonly operators: readonly string[];
}

/** What a saved report carries inside. */
export interface ReportDocument {
  readonly v: 1;
  readonly place: string;
  readonly ceremony: CeremonyDocument;
  readonly committee: CommitteeDocument;
}
