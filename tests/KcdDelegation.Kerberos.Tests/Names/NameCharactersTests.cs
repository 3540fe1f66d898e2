using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Tests.Names;

/// <summary>One table for every place that accepts a name: the rule itself, a principal, a service account and a received
/// message.</summary>
public sealed class NameCharactersTests
{
    public static TheoryData<string> Accepted =>
    [
        "ada", "jörg müller", "O'Hara", "Łukasz", "Мария", "Ελένη", "佐々木", "ハーバー", "はーばー", "神谷", "﨑山", "〇田", "김철수", "ʻokina", "Oʻahu",
        "ธีระ", "คำ", "राम", "ज़ाकिर", "தமிழ்", "မောင်", "ខ្មែរ", "ລາວຳ", "Սևակ", "გიორგი", "שָׂרָה", "מחמד", "مُحَمَّد", "𐐀𐐨", "𠮷野",
            "user١٢",
    ];

    public static TheoryData<string> Rejected =>
    [
        "ada\0", "ada\r\nX", "ada\u001b[2J", "a\u202eda", "a\u2066da", "a\u200bda", "a\u200dda", "a\u00adda", "a\ufeffda", "a\u2028da",
            "a\u061cda",
        "a\U000E0041da", "a\U000E0001da", "a\U000E0100da", "a\ufe0fda", "a\u180bda", "a\u034fda", "\u115fada", "a\u1160da", "a\u3164da",
            "a\uffa0da",
        "a\u2800da", "ក\u17b4", "a\U00013441da", "\ue000ada", "\U000F0000ada", "\u0378ada", "\U0003FFFFada", "\ud800ada", "ada\udc00",
            "a\ufffdda",
        "ada\u0301", "е\u0308", "ε\u0301", "1\u0301", "١\u064b", "\u0e35", "-\u0e35", "ก\u20dd", "漢\u0338", "漢\u0301",
        "ก\u0e49\u0e49\u0e49\u0e49\u0e49", "ａda", "ﬁda", "\U0001d44eda", "ºada", "ſmith", "ĳsbrand", "ᵃda", "ⁿame", "\u212aelvin", "ﾊｰﾊﾞ",
            "神\ufa19",
        "\U0002F800田", "\u1112\u1161\u11ab", "\U0001EE00ada", "محمـد", "a\u02d0b", "a\u02b9b",
        "a\u206fda", "a\ufff9da", "a\U0001D173da", "a\U0001BCA0da", "a\U000E007Fda", "a\U000E01EFda", "a\u2065da", "a\u200e", "\u200fa",
        "a\u2067da", "a\u2069da", "a\u00a0", "a\u2007b", "a\u202fb", "a\u205fb", "a\u1680b", "a\u0085b", "a\u2029b",
        "ж\u0483", "a\u0489", "a\u20e3", "ж\u093f", "a\u0e34", "7\u093e", " \u093e", "\u093ea", "ж\u1ab0", "क\u1dc0", "a\u3099",
        "a\u2215b", "ada\u2024", "O\u2019Hara", "ada\u00a0x", "☃", "a\u3000b", "Ⅷ", "a\ua4fdb",
    ];

    [Theory]
    [MemberData(nameof(Accepted))]
    public void A_name_of_letters_digits_and_the_marks_of_its_script_is_accepted_everywhere(string name)
    {
        NameCharacters.FindViolation(name).ShouldBeNull();
        KerberosPrincipal.Principal(name, "CONTOSO.TEST").Name.ShouldBe(name);
        KerberosPrincipal.Enterprise($"{name}@contoso.test").Name.ShouldStartWith(name);
        ReadName(name).ShouldBe([name]);
    }

    [Theory]
    [MemberData(nameof(Rejected))]
    public void A_name_with_an_invisible_misplaced_or_lookalike_character_is_rejected_everywhere(string name)
    {
        NameCharacters.FindViolation(name).ShouldNotBeNull();
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Principal(name, "CONTOSO.TEST"));
        Should.Throw<ArgumentException>(() => KerberosPrincipal.Enterprise($"{name}@contoso.test"));
        ServicePrincipalName.TryParse($"HTTP/{name}", null, out _).ShouldBeFalse();
        // A lone surrogate cannot be encoded.
        if (!name.Any(char.IsSurrogate) || name.EnumerateRunes().All(rune => rune.Value != 0xFFFD))
            Should.Throw<KerberosException>(() => ReadName(name));
    }

    [Fact]
    public void The_first_violation_is_named_with_its_code_point_and_position()
    {
        NameCharacters.FindViolation("ada\u0301").ShouldBe("the combining mark U+0301 at 3");
        NameCharacters.FindViolation("a\U000E0041").ShouldBe("the control or invisible character U+E0041 at 1");
        NameCharacters.FindViolation("a\ud800").ShouldBe("a lone surrogate at 1");
    }

    private static IReadOnlyList<string> ReadName(string name) => KcdDelegation.Kerberos.Messages.Ticket.Decode(
        KcdDelegation.Kerberos.Messages.Ticket.Create(
            "CONTOSO.TEST", new KcdDelegation.Kerberos.Messages.PrincipalName(1, [name]), Messages.Samples.Encrypted).Encoded)
        .Service.Components;
}
