// What this browser remembers. Where storage is blocked it forgets, and nothing else breaks.

const quietly = (act) => {
  try {
    return act();
  } catch {
    return null;
  }
};

export const recall = (area, name) => quietly(() => window[area].getItem(name));
export const store = (area, name, value) => quietly(() => window[area].setItem(name, value));
