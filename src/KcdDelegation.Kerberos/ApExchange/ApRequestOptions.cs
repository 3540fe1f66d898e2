namespace KcdDelegation.Kerberos;

/// <summary>What an AP-REQ asks of the service and says of the connection.</summary>
/// <param name="MutualAuthentication">Asks the service to prove itself (AP-REP, RFC 4120 §3.2.4).</param>
/// <param name="ChannelBinding">RFC 5929 application data, "tls-server-end-point:" and the hash; empty: none.</param>
public readonly record struct ApRequestOptions(bool MutualAuthentication = false, ReadOnlyMemory<byte> ChannelBinding = default);
