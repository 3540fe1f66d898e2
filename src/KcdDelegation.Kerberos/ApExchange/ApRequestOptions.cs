namespace KcdDelegation.Kerberos;

/// <summary>Options of an AP-REQ.</summary>
/// <param name="MutualAuthentication">Whether to request the service's own proof (AP-REP, RFC 4120 §3.2.4).</param>
/// <param name="ChannelBinding">The application data of RFC 5929: "tls-server-end-point:" and the hash. Empty for no binding.</param>
public readonly record struct ApRequestOptions(bool MutualAuthentication = false, ReadOnlyMemory<byte> ChannelBinding = default);
