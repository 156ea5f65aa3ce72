/** Reading from the API inside a component: the state of one request, and how to repeat it. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/**
 * Calls `read(signal)` when `inputs` change. What was read stays visible while it is read again.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} read
 * @returns {{data: T | undefined, error: Error | undefined, loading: boolean, reload: () => Promise<void>, set: (data: T) => void}}
 */
export function useLoad(read, inputs) {
  const [state, setState] = useState({ loading: true });
  const running = useRef(null);
  const reload = useCallback(async () => {
    running.current?.abort();
    const own = (running.current = new AbortController());
    setState((old) => ({ ...old, loading: true }));
    try {
      const data = await read(own.signal);
      if (!own.signal.aborted) setState({ data, loading: false });
    } catch (error) {
      if (!own.signal.aborted) setState((old) => ({ data: old.data, error, loading: false }));
    }
  }, inputs);
  useEffect(() => {
    reload();
    return () => running.current?.abort();
  }, [reload]);
  return { ...state, reload, set: (data) => setState({ data, loading: false }) };
}

/** Runs something that the user asked for: whether it runs, and its error. */
export function useAction(action) {
  const [state, setState] = useState({ busy: false });
  const run = async (...args) => {
    if (state.busy) return undefined;
    setState({ busy: true });
    try {
      const result = await action(...args);
      setState({ busy: false });
      return result;
    } catch (error) {
      setState({ busy: false, error });
      return undefined;
    }
  };
  return { ...state, run, clear: () => setState({ busy: false }) };
}

/** Gives `value` once it has not changed for `ms`. */
export function useSettled(value, ms) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** A number that grows every `ms`, so that relative times stay true. */
export function useTick(ms) {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((old) => old + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return tick;
}
