// What one browser remembers. Where storage is blocked it forgets, and nothing else breaks.

const quietly = (act) => {
  try {
    return act();
  } catch {
    return null;
  }
};

export const recall = (storage, name) => quietly(() => window[storage].getItem(name));
export const keep = (storage, name, value) => quietly(() => window[storage].setItem(name, value));
