// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
  }
  .bar .muted {
    flex: 1;
  }
  .more {
    justify-self: center;
  }
  td.allowed {
    color: var(--good);
  }
  td.denied,
  td.failed {
    color: var(--bad);
  }
`;
