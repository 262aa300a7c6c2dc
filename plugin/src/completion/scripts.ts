// SPDX-License-Identifier: Apache-2.0

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# bash completion for kubectl-agenttier
_kubectl_agenttier() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(kubectl-agenttier __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _kubectl_agenttier kubectl-agenttier
`;

const ZSH = `#compdef kubectl-agenttier
_kubectl_agenttier() {
  local line
  local -a found
  while IFS= read -r line; do
    case "$line" in
      :*) ;;
      *$'\\t'*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) found+=("\${line//:/\\\\:}") ;;
    esac
  done < <(kubectl-agenttier __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'kubectl-agenttier' found
}
compdef _kubectl_agenttier kubectl-agenttier
`;

const FISH = `# fish completion for kubectl-agenttier
function __kubectl_agenttier_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    kubectl-agenttier __complete $words[2..-1] "$current" 2>/dev/null | string match -v ':*'
end
complete -c kubectl-agenttier -f -a '(__kubectl_agenttier_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
