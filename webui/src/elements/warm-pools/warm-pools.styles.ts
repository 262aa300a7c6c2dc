// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.25rem;
  }
  small.problem {
    display: block;
  }
  td.ready {
    min-width: 7rem;
  }
  td.ready svg {
    margin-block-start: 0.2rem;
  }
  .size,
  .size form {
    display: flex;
    align-items: center;
    gap: 0.5rem;
  }
  .size {
    justify-content: space-between;
  }
  .size input {
    width: 4.5rem;
  }
`;
