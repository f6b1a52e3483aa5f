/** The looks of the pages that the server itself writes: light and dark, from a phone on. */
export const pageStyle = `
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --line: #d9dde3; --text: #1b2430; --soft: #5b6675; --mark: #1257a6; --bad: #b3261e; --good: #1c6b3c; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #12161c; --card: #1b2129; --line: #343d4a; --text: #e8ecf1; --soft: #a3aebc; --mark: #7db8ff; --bad: #ff9d95; --good: #7fd6a2; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 46rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding-top: 1rem; padding-bottom: .25rem; }
header strong { font-size: 1.05rem; }
main { padding-bottom: 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 .75rem; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
p { margin: .5rem 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; margin: 0 0 1rem; }
ul.rows { list-style: none; margin: 0; padding: 0; }
ul.rows > li { display: flex; align-items: center; justify-content: space-between; gap: .75rem; padding: .6rem 0; border-top: 1px solid var(--line); }
ul.rows > li:first-child { border-top: 0; padding-top: 0; }
ul.rows > li:last-child { padding-bottom: 0; }
ul.rows > li > div { min-width: 0; }
time { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
small, .soft { color: var(--soft); }
small { display: block; font-size: .875rem; }
code { font: .9em ui-monospace, monospace; }
a { color: var(--mark); }
form { margin: 0; }
form.stack { display: grid; gap: .5rem; max-width: 24rem; }
label { display: grid; gap: .2rem; color: var(--soft); font-size: .875rem; }
input { font: inherit; color: var(--text); background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .6rem; width: 100%; }
button, a.button { font: inherit; display: inline-block; text-align: center; text-decoration: none; cursor: pointer; color: var(--text); background: transparent; border: 1px solid var(--line); border-radius: .4rem; padding: .45rem .8rem; min-height: 2.75rem; line-height: 1.7rem; white-space: nowrap; }
button:hover, a.button:hover { border-color: var(--soft); }
button.main { background: var(--mark); border-color: var(--mark); color: var(--paper); font-weight: 600; }
button.danger { color: var(--bad); }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .75rem; }
.notice { border-left: 4px solid var(--good); padding: .5rem .75rem; background: var(--card); margin: 0 0 1rem; }
.trouble { border-left-color: var(--bad); }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-size: .8rem; color: var(--soft); white-space: nowrap; }
@media (max-width: 30rem) { ul.rows > li { align-items: flex-start; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
`;
