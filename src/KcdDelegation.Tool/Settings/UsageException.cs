namespace KcdDelegation.Tool.Settings;

/// <summary>The exception for arguments or settings that the parser accepts but that cannot be used. The message names the
/// correction.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Creates an exception with the message of an argument check, without the name of the .NET parameter.</summary>
    public static UsageException FromArgument(ArgumentException refused, string prefix = "") =>
        new(prefix + refused.Message.Replace($" (Parameter '{refused.ParamName}')", "", StringComparison.Ordinal), refused);
}
