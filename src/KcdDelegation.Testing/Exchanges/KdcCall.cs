using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>A principal in its realm, as requests and tickets name it.</summary>
internal sealed record ClientName(PrincipalName Name, string Realm)
{
    public override string ToString() => $"{Name}@{Realm}";
}

/// <summary>One request, and what the transcript will say of it.</summary>
internal sealed class KdcCall(KdcRequestMessage request, DateTimeOffset now)
{
    public KdcRequestMessage Request => request;
    public KdcRequestBody Body { get; } = KdcRequestBody.Decode(request.EncodedBody);
    public DateTimeOffset Now => now;

    /// <summary>Whose TGT came with the request, once that was verified.</summary>
    public ClientName? Requester { get; set; }

    public KerberosExchange Exchange { get; private set; }
    public string Line { get; private set; } = "";

    /// <summary>A first AS-REQ without pre-authentication: every KDC refuses it, so the transcript leaves it out.</summary>
    public bool IsOpening { get; set; }

    public bool Asks(KdcOptionFlags option) => (Body.Options & option) == option;

    public void Describe(KerberosExchange exchange, string line) => (Exchange, Line) = (exchange, line);
}
