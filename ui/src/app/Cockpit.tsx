export function Cockpit() {
  return <main />;
}
