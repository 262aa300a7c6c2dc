// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

/** Buttons, fields and notes as all elements have them. */
export const controlStyles = css`
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4em;
    min-height: 2.25rem;
    padding: 0 0.875rem;
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) - 3px);
    background: var(--raised);
    color: var(--text);
    font: inherit;
    font-weight: 550;
    text-decoration: none;
    cursor: pointer;
  }
  button:hover:not(:disabled),
  .button:hover {
    border-color: var(--accent);
  }
  button:disabled {
    opacity: 0.55;
    cursor: default;
  }
  button.primary,
  .button.primary {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  button.danger {
    color: var(--bad);
  }
  button.quiet {
    border-color: transparent;
    background: none;
  }
  label {
    display: grid;
    align-content: start;
    gap: 0.25rem;
    font-weight: 550;
  }
  input,
  select,
  textarea {
    width: 100%;
    min-height: 2.25rem;
    padding: 0.35rem 0.625rem;
    border: 1px solid var(--line);
    border-radius: calc(var(--radius) - 3px);
    background: var(--surface);
    color: var(--text);
    font: inherit;
    font-weight: 400;
  }
  input[type='checkbox'] {
    width: 1.1rem;
    min-height: 1.1rem;
    accent-color: var(--accent);
  }
  input[aria-invalid='true'],
  select[aria-invalid='true'] {
    border-color: var(--bad);
  }
  .problem {
    color: var(--bad);
    font-size: 0.875rem;
    font-weight: 400;
  }
  .note {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1rem;
    padding: 0.625rem 0.875rem;
    border: 1px solid var(--line);
    border-inline-start: 3px solid var(--tone, var(--busy));
    border-radius: calc(var(--radius) - 3px);
    background: var(--surface);
  }
  .note.bad {
    --tone: var(--bad);
  }
  .note.warn {
    --tone: var(--warn);
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: 0.75rem;
    padding: 3rem 1rem;
    border: 1px dashed var(--line);
    border-radius: var(--radius);
    text-align: center;
  }
`;
