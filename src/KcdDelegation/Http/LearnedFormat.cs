namespace KcdDelegation.Http;

/// <summary>The token format that an application with <see cref="TokenFormat.Auto"/> accepts, learned from its responses.
/// Thread-safe.</summary>
/// <remarks>Only a proof changes it. A refusal may concern one user, one ticket or one path, and must not change the format of other
/// users.</remarks>
internal sealed class LearnedFormat
{
    private volatile TokenFormat _preferred = TokenFormat.Kerberos;
    private volatile bool _isProven;

    /// <summary>Whether the backend has accepted a token of the preferred format.</summary>
    public bool IsProven => _isProven;

    /// <summary>Gets the format of the first attempt.</summary>
    public TokenFormat GetFormat(TokenFormat configured) => configured == TokenFormat.Auto ? _preferred : configured;

    public static TokenFormat GetOther(TokenFormat format) => format == TokenFormat.Kerberos ? TokenFormat.Spnego : TokenFormat.Kerberos;

    /// <summary>Stores the format as accepted, and returns whether this changes the state.</summary>
    public bool RecordAccepted(TokenFormat format)
    {
        if (_isProven && _preferred == format)
            return false;
        (_preferred, _isProven) = (format, true);
        return true;
    }
}
