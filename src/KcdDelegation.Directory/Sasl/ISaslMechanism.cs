using KcdDelegation.Kerberos.ApExchange;

namespace KcdDelegation.DirectoryServices.Sasl;

/// <summary>The client's side of a SASL mechanism (RFC 4422), for one bind.</summary>
internal interface ISaslMechanism
{
    /// <summary>Gets the mechanism's registered name.</summary>
    string Name { get; }

    /// <summary>Gets the first credentials.</summary>
    ReadOnlyMemory<byte> Start();

    /// <summary>Returns the next credentials after a challenge of the server.</summary>
    /// <exception cref="DirectoryException">The challenge is not acceptable.</exception>
    ReadOnlyMemory<byte> Continue(ReadOnlyMemory<byte> challenge);

    /// <summary>Verifies that the exchange is complete when the server reports success, and returns the layer of the messages that follow;
    /// null for none.</summary>
    /// <exception cref="DirectoryException">The server reported success before it proved itself.</exception>
    SealedLayer? Complete(ReadOnlyMemory<byte>? lastChallenge);
}

/// <summary>The protection of the messages after a bind.</summary>
/// <param name="Context">The established context.</param>
/// <param name="MaxSend">The largest number of bytes that the server accepts in one wrap token.</param>
internal sealed record SealedLayer(GssSecurityContext Context, int MaxSend);
