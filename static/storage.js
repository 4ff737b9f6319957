// What this browser remembers: where storage is blocked, nothing.

const quietly = (act) => {
  try {
    return act();
  } catch {
    return null;
  }
};

export const recall = (area, name) => quietly(() => window[area].getItem(name));
export const store = (area, name, value) => quietly(() => window[area].setItem(name, value));
