import { Component, type ReactNode } from "react";

interface Props {
  children: ReactNode;
  /** Drawn in place of what failed. */
  fallback: (error: unknown, again: () => void) => ReactNode;
}

/** Keeps a fault in one part of the page from emptying the rest. */
export class Boundary extends Component<Props, { error: unknown; failed: boolean }> {
  override state = { error: null as unknown, failed: false };

  static getDerivedStateFromError(error: unknown) {
    return { error, failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return this.props.fallback(this.state.error, () => this.setState({ error: null, failed: false }));
  }
}
