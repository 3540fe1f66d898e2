namespace KcdDelegation.Tool.Settings;

/// <summary>Arguments or settings that the parser let through but that make no sense; the message says what to give instead.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
