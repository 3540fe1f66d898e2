namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>An attribute of an entry (RFC 4511 §4.1.7).</summary>
/// <remarks>PartialAttribute ::= SEQUENCE { type AttributeDescription, vals SET OF value AttributeValue }.</remarks>
/// <param name="Type">The description, with its options: <c>member;range=0-1499</c>.</param>
/// <param name="Values">The values, as slices of the message.</param>
internal sealed record LdapAttribute(string Type, IReadOnlyList<ReadOnlyMemory<byte>> Values);
