using System.Security.Cryptography;
using System.Text;
using KcdDelegation.DirectoryServices.Messages;

namespace KcdDelegation.DirectoryServices;

/// <summary>An entry of the directory with the attributes that were read. Thread-safe until it is disposed.</summary>
public sealed class LdapEntry : IDisposable
{
    private readonly Dictionary<string, List<ReadOnlyMemory<byte>>> _attributes = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<byte[]> _memory = [];

    internal LdapEntry(string name, byte[] message)
    {
        Name = name;
        _memory.Add(message);
    }

    /// <summary>Gets the distinguished name.</summary>
    public string Name { get; }

    /// <summary>Gets the names of the attributes that have values.</summary>
    public IEnumerable<string> AttributeNames => _attributes.Keys;

    /// <summary>Gets the values of an attribute as bytes; an empty list if it has none or may not be read.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> GetValues(string attribute) =>
        _attributes.TryGetValue(attribute, out var values) ? values : [];

    /// <summary>Gets the values of an attribute as text.</summary>
    public IReadOnlyList<string> GetTexts(string attribute) =>
        [.. GetValues(attribute).Select(value => Encoding.UTF8.GetString(value.Span))];

    /// <summary>Gets the only value of an attribute as text, or null if it has none or several.</summary>
    public string? GetText(string attribute) => GetValues(attribute) is [var value] ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>Zeroes the memory of the entry. Needed for secret values only (<see cref="LdapSearch.ReadsSecrets"/>).</summary>
    public void Dispose()
    {
        _attributes.Clear();
        foreach (var message in _memory)
            CryptographicOperations.ZeroMemory(message);
    }

    /// <summary>Returns the distinguished name; never a value.</summary>
    public override string ToString() => Name;

    /// <summary>Adds values, and the memory that holds them.</summary>
    internal void Add(string attribute, IReadOnlyList<ReadOnlyMemory<byte>> values, byte[]? message = null)
    {
        if (message is not null)
            _memory.Add(message);
        if (values.Count == 0)
            return;
        if (!_attributes.TryGetValue(attribute, out var all))
            _attributes[attribute] = all = [];
        all.AddRange(values);
    }

    /// <summary>Gives the values of an attribute another name.</summary>
    internal void Move(string from, string to)
    {
        if (_attributes.Remove(from, out var values))
        {
            // The server returns the attribute itself without values next to its first range.
            _attributes.Remove(to);
            _attributes[to] = values;
        }
    }

    /// <summary>Takes over the values of a part, with their memory.</summary>
    internal void Take(LdapEntry part, string name, string attribute)
    {
        _memory.AddRange(part._memory);
        Add(attribute, part.GetValues(name));
    }
}
