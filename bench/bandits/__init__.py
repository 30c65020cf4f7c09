"""Whether bandits pay, stay calm where nothing differs, and put harmful arms out."""
